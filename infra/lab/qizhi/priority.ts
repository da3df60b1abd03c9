/** What the platform makes of a submitted priority (1 to 10, larger is more urgent). */
export function priorityLevel(priority: number): 'LOW' | 'NORMAL' | 'HIGH' {
  if (priority <= 3) return 'LOW';
  return priority === 4 ? 'NORMAL' : 'HIGH';
}

/** The scale in which it is kept. */
export function storedPriority(priority: number): number {
  if (priority <= 3) return 10 + priority;
  return priority === 4 ? 20 : 25 + priority;
}
