#!/usr/bin/env bun
import { main } from '#cli/main.ts';

// Every write is synchronous, so nothing is lost; what a refused start left open must not keep the process.
process.exit(await main(process.argv.slice(2)));
