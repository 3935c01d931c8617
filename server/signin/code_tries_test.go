package signin

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
)

func TestPunish(t *testing.T) {
	now := time.Date(2026, 3, 12, 9, 41, 12, 0, time.UTC)
	at := func(ago time.Duration) database.Instant { return database.At(now.Add(-ago)) }
	const minute, hour = int64(60_000), int64(3_600_000)
	for name, one := range map[string]struct {
		counted  codeTries // with this try in it
		failures int
		delay    int64 // ms
		blocked  time.Duration
		locked   bool
	}{
		"the first":                        {codeTries{WindowStartedAt: at(0), Failures: 1, InARow: 1}, 1, 0, 0, false},
		"the ninth":                        {codeTries{WindowStartedAt: at(59 * time.Minute), Failures: 9, InARow: 9}, 9, 0, 0, false},
		"the tenth delays":                 {codeTries{WindowStartedAt: at(59 * time.Minute), Failures: 10, InARow: 10}, 10, minute, time.Minute, false},
		"the tenth after an hour does not": {codeTries{WindowStartedAt: at(time.Hour), Failures: 10, InARow: 10}, 1, 0, 0, false},
		"the eleventh doubles":             {codeTries{WindowStartedAt: at(time.Minute), Failures: 11, InARow: 11, DelayMS: minute, BlockedUntil: at(0)}, 11, 2 * minute, 2 * time.Minute, false},
		"a delay keeps the window open":    {codeTries{WindowStartedAt: at(3 * time.Hour), Failures: 17, InARow: 17, DelayMS: 32 * minute, BlockedUntil: at(59 * time.Minute)}, 17, hour, time.Hour, false},
		"an hour of quiet after it closes": {codeTries{WindowStartedAt: at(3 * time.Hour), Failures: 17, InARow: 17, DelayMS: 32 * minute, BlockedUntil: at(time.Hour)}, 1, 0, 0, false},
		"an hour is the longest":           {codeTries{WindowStartedAt: at(3 * time.Hour), Failures: 18, InARow: 18, DelayMS: hour, BlockedUntil: at(0)}, 18, hour, time.Hour, false},
		"after a right one it is a minute": {codeTries{WindowStartedAt: at(time.Minute), Failures: 12, InARow: 1}, 12, minute, time.Minute, false},
		"the forty-ninth in a row":         {codeTries{WindowStartedAt: at(2 * time.Hour), Failures: 2, InARow: 49}, 1, 0, 0, false},
		"the fiftieth locks":               {codeTries{WindowStartedAt: at(2 * time.Hour), Failures: 2, InARow: 50}, 1, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			tries := one.counted
			tries.punish(now)
			blocked := max(0, tries.BlockedUntil.Time().Sub(now))
			if tries.Failures != one.failures || tries.DelayMS != one.delay || blocked != one.blocked || tries.LockedAt.IsZero() == one.locked {
				t.Errorf("%+v", tries)
			}
		})
	}
}
