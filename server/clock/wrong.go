package clock

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// fresh is for how long an instance is believed that has said nothing since: it says something every minute.
const fresh = 10 * time.Minute

// Wrong is a clock of an instance that looks wrong.
type Wrong struct {
	Host string
	Off  time.Duration // minus is behind
}

// Wrong reads which clocks look wrong, of all instances, the worst first.
func (w *Watch) Wrong(ctx context.Context, db bun.IDB) ([]Wrong, error) {
	var rows []struct {
		Host     string `bun:"host"`
		MedianMS int64  `bun:"median_ms"`
	}
	err := db.NewSelect().TableExpr("clocks").ColumnExpr("host, median_ms").
		Where("at > ?", w.right(w.now())-database.Instant(fresh.Milliseconds())).
		Where("median_ms > ? OR median_ms < ?", Tolerated.Milliseconds(), -Tolerated.Milliseconds()).
		OrderExpr("ABS(median_ms) DESC, instance").Limit(100).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the clocks: %w", err)
	}
	list := make([]Wrong, len(rows))
	for n, row := range rows {
		list[n] = Wrong{Host: row.Host, Off: time.Duration(row.MedianMS) * time.Millisecond}
	}
	return list, nil
}
