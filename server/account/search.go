package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// search is the text of a query, as words that a person must all have, the rarest first.
//
// There are two ways to find a page. From the people of the words, which are intersected, then sorted: right where one
// of the words is rare. Or along the list in its order, asking each person for the words: right where so many have them
// that a page is soon full, wherever in the list they stand.
type search struct{ words []word }

// word is one that a person must have, with how many terms begin with it, up to rare.
type word struct {
	text  string
	terms int
}

// rare is so few terms that it is quicker to read them all than to ask each person for theirs.
const rare = 10_000

// terms selects a column of the terms that begin with a word.
func terms(db bun.IDB, column, text string) *bun.SelectQuery {
	return db.NewSelect().ColumnExpr(column).TableExpr("user_terms AS t").
		Where("t.term >= ? AND t.term < ?", []byte(text), append([]byte(text), 0xff))
}

// within counts what is selected, up to a limit.
func within(ctx context.Context, db bun.IDB, selected *bun.SelectQuery, limit int) (int, error) {
	counted, err := db.NewSelect().TableExpr("(?) AS counted", selected.Limit(int64(limit))).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count people: %w", err)
	}
	return int(counted), nil
}

// newSearch reads a text, and brings its rarest word to the front.
func newSearch(ctx context.Context, db bun.IDB, text string) (*search, error) {
	s := &search{}
	for _, text := range words(text) {
		s.words = append(s.words, word{text: text})
	}
	for n := range s.words {
		one := &s.words[n]
		var err error
		if one.terms, err = within(ctx, db, terms(db, "1", one.text), rare); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.words, func(a, b word) int { return cmp.Compare(a.terms, b.terms) })
	return s, nil
}

// rare reports whether one of the words is.
func (s *search) rare() bool { return len(s.words) > 0 && s.words[0].terms < rare }

// crowded reports, for one word alone, that more people than are ever counted have it. Whose terms begin alike several
// times, such as an address and its first part, is one person.
func (s *search) crowded(ctx context.Context, db bun.IDB) (bool, error) {
	if len(s.words) != 1 {
		return false, nil
	}
	people, err := within(ctx, db, terms(db, "DISTINCT t.user_id", s.words[0].text), TotalCap+1)
	return people > TotalCap, err
}

// from selects from those who have all the words, in no order.
func (s *search) from(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	found := terms(db, "DISTINCT t.user_id", s.words[0].text)
	var common []word
	for _, word := range s.words[1:] {
		if word.terms < rare {
			found = found.Intersect(terms(db, "t.user_id", word.text))
		} else {
			common = append(common, word)
		}
	}
	// A CROSS JOIN, since SQLite keeps its order.
	return having(q.TableExpr("(?) AS found CROSS JOIN users AS u", found).Where("u.id = found.user_id"), common)
}

// people are the ids of those who have all the words and pass the filter, up to one more than TotalCap.
func (s *search) people(ctx context.Context, db bun.IDB, now database.Instant, query Query) ([]string, error) {
	var ids []string
	err := filter(s.from(db, db.NewSelect().ColumnExpr("u.id")), now, query).Limit(TotalCap+1).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("search people: %w", err)
	}
	return ids, nil
}

// having asks each person for words, through the handful of their terms and not through all that begin with them.
func having(q *bun.SelectQuery, words []word) *bun.SelectQuery {
	for _, word := range words {
		q = q.Where("(SELECT COUNT(*) FROM user_terms AS t WHERE t.user_id = u.id AND t.term >= ? AND t.term < ?) > 0",
			[]byte(word.text), append([]byte(word.text), 0xff))
	}
	return q
}
