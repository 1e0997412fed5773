/** Whether what an issuer tells of its revocations still arrives. */
export interface FeedHealth {
  /**
   * The issuer has a feed, and nothing was heard of it for too long: its tokens are to be asked about one by one.
   * Synchronous and without cost: read for each request.
   */
  isLost(issuer: string): boolean;
}
