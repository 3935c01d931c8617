package servertest

import (
	"context"
	"fmt"
	"strings"
)

// Plan is how the database says that it would read what a query finds.
func (in *Installation) Plan(query string) string {
	in.t.Helper()
	explain := "EXPLAIN "
	if !in.Postgres {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := in.First().Database.Read().QueryContext(context.Background(), explain+query)
	if err != nil {
		in.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		in.t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		cells := make([]any, len(columns))
		for n := range cells {
			cells[n] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			in.t.Fatal(err)
		}
		switch line := (*cells[len(cells)-1].(*any)).(type) {
		case []byte:
			fmt.Fprintf(&plan, "%s\n", line)
		default:
			fmt.Fprintln(&plan, line)
		}
	}
	if err := rows.Err(); err != nil {
		in.t.Fatal(err)
	}
	return plan.String()
}
