// When a snoozed case comes back: choices in the city's working day.
import { hubNow } from "../clock";

const HOUR = 3_600_000;

/** The next 8:30 of the city, `days` days on, given what its clock is ahead of UTC now. */
function morning(now: number, zone: string, days: number): Date {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).formatToParts(now).map((p) => [p.type, p.value]));
  const today = now - (Number(parts.hour) % 24) * HOUR - Number(parts.minute) * 60_000 - Number(parts.second) * 1000 - (now % 1000);
  return new Date(today + days * 24 * HOUR + 8.5 * HOUR);
}

export const SNOOZES: Record<string, string> = { "1": "1 小时后", "4": "4 小时后", morning: "明天上午 8:30", "3d": "三天后上午 8:30", "7d": "一周后上午 8:30" };

export function until(choice: string, zone: string): string {
  const now = hubNow();
  if (choice === "morning") return morning(now, zone, 1).toISOString();
  if (choice.endsWith("d")) return morning(now, zone, Number(choice.slice(0, -1))).toISOString();
  return new Date(now + Number(choice) * HOUR).toISOString();
}
