# syntax=docker/dockerfile:1
# Takes the file that `bun run build` made: dist/cortex. It needs a C library and certificates, nothing else.
ARG BASE=gcr.io/distroless/base-debian12:nonroot
FROM ${BASE}
COPY --chmod=0755 dist/cortex /usr/local/bin/cortex
USER 65532:65532
# Mount a volume on each of the two, owned by 65532; keep copies of the keys apart from those of the state.
ENV CORTEX_STATE_DIR=/var/lib/cortex \
    CORTEX__KEYS__DIR=/var/lib/cortex-keys
EXPOSE 3213
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/cortex", "status", "--quiet", "--config", "/etc/cortex/cortex.yaml"]
ENTRYPOINT ["/usr/local/bin/cortex"]
CMD ["serve", "--config", "/etc/cortex/cortex.yaml", "--listen", "0.0.0.0:3213"]
