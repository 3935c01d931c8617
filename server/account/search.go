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
// There are two ways to find a page. From the words' people, which are intersected: right where one of the words is rare.
// Or along the list in its order, asking each person for the words: right where so many have them that a page is soon
// full. A word that is rare and yet has more people than are counted is tried along the list for a bit first, since
// sorting all its people costs more, and then found the first way.
type search struct{ words []word }

// word is one that a person must have, with how many terms begin with it, up to few.
type word struct {
	text  string
	terms int
}

// few is so few terms that it is quicker to read them all than to ask each person for theirs.
const few = 10_000

// mostWords is how many words of a text are looked for: nobody's name has more, and each costs a query.
const mostWords = 8

// begun selects a column of the terms that begin with a word.
func begun(db bun.IDB, column, text string) *bun.SelectQuery {
	from, to := prefix(text)
	return db.NewSelect().ColumnExpr(column).TableExpr("user_terms AS t").Where("t.term >= ? AND t.term < ?", from, to)
}

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

// newSearch reads a text, and brings its rarest word to the front.
func newSearch(ctx context.Context, db bun.IDB, text string) (*search, error) {
	s := &search{}
	given := words(text)
	for _, text := range given[:min(len(given), mostWords)] {
		s.words = append(s.words, word{text: text})
	}
	for n := range s.words {
		one := &s.words[n]
		var err error
		if one.terms, err = within(ctx, db, begun(db, "1", one.text), few); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.words, func(a, b word) int { return cmp.Compare(a.terms, b.terms) })
	return s, nil
}

// rare reports whether one of the words is.
func (s *search) rare() bool { return len(s.words) > 0 && s.words[0].terms < few }

// crowded reports, for one word alone, that more people than are ever counted have it. Whose terms begin alike several
// times, such as an address and its first part, is one person.
func (s *search) crowded(ctx context.Context, db bun.IDB) (bool, error) {
	if len(s.words) != 1 {
		return false, nil
	}
	people, err := within(ctx, db, begun(db, "DISTINCT t.user_id", s.words[0].text), TotalCap+1)
	return people > TotalCap, err
}

// from selects from those who have all the words, in no order.
func (s *search) from(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	found := begun(db, "DISTINCT t.user_id", s.words[0].text)
	var common []word
	for _, word := range s.words[1:] {
		if word.terms < few {
			found = found.Intersect(begun(db, "t.user_id", word.text))
		} else {
			common = append(common, word)
		}
	}
	// A CROSS JOIN, since SQLite keeps its order.
	return having(q.TableExpr("(?) AS found CROSS JOIN users AS u", found).Where("u.id = found.user_id"), common)
}

// passing selects from those who have all the words and pass the filter. Of a narrow one each is asked by itself, for the
// reason that having gives: what PostgreSQL believes of how few pass is wrong by far.
func (s *search) passing(db bun.IDB, q *bun.SelectQuery, now database.Instant, query Query) *bun.SelectQuery {
	q = s.from(db, q)
	if !query.Protection.narrow() {
		return filter(q, now, query)
	}
	passes := db.NewSelect().ColumnExpr("COUNT(*)").TableExpr("users AS u").Where("u.id = found.user_id")
	return q.Where("(?) > 0", filter(passes, now, query))
}

// people are the ids of those who have all the words and pass the filter, up to one more than TotalCap.
func (s *search) people(ctx context.Context, db bun.IDB, now database.Instant, query Query) ([]string, error) {
	var ids []string
	selected := s.passing(db, db.NewSelect().ColumnExpr("u.id"), now, query)
	if query.Protection.narrow() && !s.rare() { // few pass, and many have the words
		selected = having(filter(db.NewSelect().ColumnExpr("u.id").TableExpr("users AS u"), now, query), s.words)
	}
	err := selected.Limit(TotalCap+1).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("search people: %w", err)
	}
	return ids, nil
}

// having asks each person for words, through the handful of their terms and not through all that begin with them: that
// is why it counts, for of an EXISTS PostgreSQL would make a join with all of them.
func having(q *bun.SelectQuery, words []word) *bun.SelectQuery {
	for _, word := range words {
		from, to := prefix(word.text)
		q = q.Where("(SELECT COUNT(*) FROM user_terms AS t WHERE t.user_id = u.id AND t.term >= ? AND t.term < ?) > 0", from, to)
	}
	return q
}
