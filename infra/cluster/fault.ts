/** What stops a cluster from starting, in one line for the person at the terminal. */
export class ClusterFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClusterFault'
  }
}
