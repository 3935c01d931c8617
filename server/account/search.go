package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// search is the text of a query, as words that a person must all have.
//
// There are three ways to find a page, tried in this order:
//   - the words' people are met in the order of the list, which costs by who is found and not by who has a word (meet.go);
//   - whoever has a word is read, intersected and sorted here: where too many terms begin alike, or the list is by address
//     (candidates.go);
//   - along the list in its order, asking each person for the words: where nearly everybody has them.
type search struct{ words []string }

// mostWords is how many words of a text are looked for: nobody's name has more, and each costs a query.
const mostWords = 8

// begun selects a column of the terms that begin with a word.
func begun(db bun.IDB, column, text string) *bun.SelectQuery {
	from, to := prefix(text)
	return db.NewSelect().ColumnExpr(column).TableExpr("user_terms AS t").Where("t.address = ? AND t.term >= ? AND t.term < ?", whole(text), from, to)
}

// whole reports whether a word is a whole address, or the beginning of one that needs it whole: its words are terms, too.
func whole(word string) bool { return strings.Contains(word, "@") }

// prefix are the bounds of the terms that begin with a word.
func prefix(text string) (from, to []byte) { return []byte(text), append([]byte(text), 0xff) }

// within counts what is selected, up to a limit.
func within(ctx context.Context, db bun.IDB, selected *bun.SelectQuery, limit int) (int, error) {
	counted, err := db.NewSelect().TableExpr("(?) AS counted", selected.Limit(int64(limit))).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count people: %w", err)
	}
	return int(counted), nil
}

func newSearch(text string) *search {
	given := words(text)
	return &search{given[:min(len(given), mostWords)]}
}

// people are the ids of those who have all the words, which are common ones, and pass the filter, up to one more than
// TotalCap.
func (s *search) people(ctx context.Context, db bun.IDB, now database.Instant, query Query) ([]string, error) {
	everybody := func() *bun.SelectQuery {
		return filter(db.NewSelect().ColumnExpr("u.id").TableExpr("users AS u"), now, query)
	}
	read := func(q *bun.SelectQuery) (ids []string, err error) {
		if err := q.Limit(TotalCap+1).Scan(ctx, &ids); err != nil {
			return nil, fmt.Errorf("search people: %w", err)
		}
		return ids, nil
	}
	if query.Protection.narrow() { // few pass, and many have the words
		return read(having(everybody(), s.words))
	}
	// Mostly enough of those at the beginning of the list have them.
	first := everybody().OrderExpr("u.sort_name, u.id").Limit(5 * near)
	ids, err := read(having(db.NewSelect().ColumnExpr("u.id").TableExpr("(?) AS u", first), s.words))
	if err != nil || len(ids) > TotalCap {
		return ids, err
	}
	// Those who have one of them, each asked for the others. A CROSS JOIN, since SQLite keeps its order.
	found := begun(db, "DISTINCT t.user_id", s.words[0])
	of := db.NewSelect().ColumnExpr("u.id").TableExpr("(?) AS found CROSS JOIN users AS u", found).Where("u.id = found.user_id")
	return read(having(filter(of, now, query), s.words[1:]))
}

// near is how many people of the list are looked at first, in its order.
const near = 1000

// crowded reports, of a text of one word, that too many people have it to read them all at first.
func (s *search) crowded(ctx context.Context, db bun.IDB) (bool, error) {
	if len(s.words) != 1 {
		return false, nil
	}
	first := db.NewSelect().ColumnExpr("COUNT(*), COUNT(DISTINCT t.user_id)").
		TableExpr("(?) AS t", begun(db, "t.user_id", s.words[0]).Limit(some))
	var terms, people int
	if err := first.Scan(ctx, &terms, &people); err != nil {
		return false, fmt.Errorf("count people: %w", err)
	}
	return terms == some && people > TotalCap, nil
}

// having asks each person for words, through the handful of their terms and not through all that begin with them: that
// is why it counts, for of an EXISTS PostgreSQL would make a join with all of them, and why it cuts the terms, for between
// two bounds it would look for them in the other index.
func having(q *bun.SelectQuery, words []string) *bun.SelectQuery {
	for _, word := range words {
		q = q.Where("(SELECT COUNT(*) FROM user_terms AS t WHERE t.user_id = u.id AND SUBSTR(t.term, 1, ?) = ?) > 0", len(word), []byte(word))
	}
	return q
}
