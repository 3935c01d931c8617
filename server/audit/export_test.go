package audit

import "github.com/uptrace/bun"

// Queries are a search's as text, for looking at their plans.
func (s Search) Queries(db bun.IDB, limit int) (texts []string) {
	for _, query := range s.queries(db, limit) {
		texts = append(texts, query.String())
	}
	return texts
}
