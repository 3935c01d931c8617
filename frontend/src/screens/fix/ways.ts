/** Where the troubleshooter's paths are. `/fix/scan` alone may ask for the camera (server/web/headers.go). */
export const fix = {
  index: '/fix',
  code: '/fix/code',
  scan: '/fix/scan',
  backup: '/fix/backup-code',
  phone: '/fix/phone',
  mail: '/fix/mail',
} as const;

/** What the sample on the page says. Read by a phone's own camera, it opens the page there, which says so. */
export const sample = () => `${location.origin}${fix.scan}#read`;
