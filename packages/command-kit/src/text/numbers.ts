const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes for people, in powers of ten: `1.2 GB`, `840 B`. */
export const formatBytes = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && Math.abs(value) < 99.95 ? 1 : 0
  return `${value.toFixed(digits)} ${byteUnits[unit]}`
}

/** A count with thousands separators: `1,234,567`. */
export const formatCount = (count: number | bigint): string =>
  String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** A count with its noun, singular for one: `1 row`, `2,000 rows`. */
export const countOf = (count: number, noun: string, plural = `${noun}s`): string =>
  `${formatCount(count)} ${count === 1 ? noun : plural}`

/** Milliseconds for people: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`. */
export const formatDuration = (ms: number): string => {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Milliseconds as a clock, for a remaining time: `0:05`, `12:30`, `1:02:03`. */
export const formatClock = (ms: number): string => {
  const total = Math.max(0, Math.round(ms / 1000))
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  const tail = String(seconds).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** An ISO time in the user's zone, to the second: `2026-04-18 09:30:00`. */
export const formatTime = (iso: string): string => {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const part = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
  return `${day} ${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}`
}
