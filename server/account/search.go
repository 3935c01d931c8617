package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
)

// search is the text of a query, as words that a person must all have, the rarest first.
//
// There are two ways to find a page. From the rarest word's people, who are then sorted: right where they are few. Or
// along the list in its order, asking each person for the words: right where so many have them that a page is soon
// full. The wrong one of the two reads everybody, so how many match is found out first, and never beyond TotalCap.
type search struct {
	words []word
	few   bool // so few match that they are found from the word
}

// word is one that a person must have, with how many terms begin with it, up to rare.
type word struct {
	text  string
	terms int
}

// rare is so few terms that it is quicker to read them all than to ask each person for theirs.
const rare = 10_000

// prefix are the bounds of the terms that begin with a word.
func prefix(word string) (from, to []byte) { return []byte(word), append([]byte(word), 0xff) }

// within counts the terms that begin with a word, up to a limit.
func within(ctx context.Context, db bun.IDB, word string, limit int) (terms, people int, err error) {
	from, to := prefix(word)
	err = db.NewRaw(`SELECT COUNT(*), COUNT(DISTINCT user_id) FROM
		(SELECT user_id FROM user_terms WHERE term >= ? AND term < ? LIMIT ?) AS begun`, from, to, limit).Scan(ctx, &terms, &people)
	if err != nil {
		return 0, 0, fmt.Errorf("count a word: %w", err)
	}
	return terms, people, nil
}

// newSearch reads a text, and brings its rarest word to the front.
func newSearch(ctx context.Context, db bun.IDB, text string) (*search, error) {
	s := &search{}
	for _, text := range words(text) {
		s.words = append(s.words, word{text: text})
	}
	if len(s.words) < 2 {
		return s, nil // nothing to compare it with
	}
	for n := range s.words {
		one := &s.words[n]
		var err error
		if one.terms, _, err = within(ctx, db, one.text, rare); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.words, func(a, b word) int { return cmp.Compare(a.terms, b.terms) })
	return s, nil
}

// crowded reports, for one word alone, that more people than are ever counted have it. Whose terms begin alike several
// times, such as an address and its first part, is one person.
func (s *search) crowded(ctx context.Context, db bun.IDB) (bool, error) {
	if len(s.words) != 1 {
		return false, nil
	}
	_, people, err := within(ctx, db, s.words[0].text, 3*(TotalCap+1))
	return people > TotalCap, err
}

// from is where a query takes its people from.
func (s *search) from(q *bun.SelectQuery) *bun.SelectQuery {
	if !s.few {
		q = q.TableExpr("users AS u")
		for _, word := range s.words {
			q = having(q, word.text)
		}
		return q
	}
	from, to := prefix(s.words[0].text)
	// A CROSS JOIN, since SQLite keeps its order.
	q = q.TableExpr("(SELECT DISTINCT user_id FROM user_terms WHERE term >= ? AND term < ?) AS found CROSS JOIN users AS u", from, to).
		Where("u.id = found.user_id")
	for _, word := range s.words[1:] {
		if word.terms == rare {
			q = having(q, word.text)
			continue
		}
		from, to := prefix(word.text)
		q = q.Where("found.user_id IN (SELECT user_id FROM user_terms WHERE term >= ? AND term < ?)", from, to)
	}
	return q
}

// having asks each person for a word, through the handful of their terms and not through all that begin with it.
func having(q *bun.SelectQuery, word string) *bun.SelectQuery {
	from, to := prefix(word)
	return q.Where("(SELECT MAX(CASE WHEN t.term >= ? AND t.term < ? THEN 1 ELSE 0 END) FROM user_terms AS t WHERE t.user_id = u.id) = 1", from, to)
}
