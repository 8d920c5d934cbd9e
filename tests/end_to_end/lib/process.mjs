// What the kernel says of a process.
import fs from 'node:fs';

/** The most memory it ever had, in KiB. */
export function memoryPeak(pid) {
  return Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s*(\d+)/)[1]);
}

/** Seconds of CPU that it has used, of all its threads. */
export function cpuSeconds(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Whether there is such a process; one that has ended and that nobody has asked for counts. */
export function isAlive(pid) {
  return fs.existsSync(`/proc/${pid}`);
}

/** The processes that this one has started: {pid, command}. */
export function childrenOf(parent) {
  const children = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue;
      children.push({ pid: Number(pid), command: fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') });
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}
