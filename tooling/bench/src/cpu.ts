/** Ms of processor time since `before`, of user and system together and of all threads. */
export const cpuMs = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
