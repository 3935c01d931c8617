package account

import (
	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Filtered selects from the people whom a query's filters let through.
func Filtered(db bun.IDB, now database.Instant, query Query) *bun.SelectQuery {
	return filter(db.NewSelect().TableExpr("users AS u"), now, query)
}
