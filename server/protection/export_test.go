package protection

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// CountingQueries are what counting reads: the refusals since it last did, and how one of them went on.
func CountingQueries(db bun.IDB, subject string, from, until time.Time) []*bun.SelectQuery {
	one := trouble{ID: database.FirstID(from), At: database.At(from), Subject: subject, Reason: "wrong_code"}
	return []*bun.SelectQuery{refusedBetween(db, database.FirstID(from), database.FirstID(until)), nextOf(db, one)}
}
