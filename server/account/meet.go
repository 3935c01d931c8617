package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// A term has its people in the order of the list, so those whom several words have in common are met without reading all of
// any word's: where one word goes on, the others are looked up, and so on in turn. Of a given name and a family name that is
// a few looks, since in the list those with a given name stand together.

const (
	// fewTerms is how many different terms that begin with a word are gone along at once.
	fewTerms = 8
	// mostLooks is how many looks at a term it may take until people are found another way.
	mostLooks = 64
	// firstLook is how many people of a term the first look reads, and each after it twice as many, up to mostRead.
	firstLook = 64
	mostRead  = 1024
)

// strand is the people of a word in the order of the list.
type strand struct {
	address bool
	terms   [][]byte
	ahead   []candidate // who comes next, as far as that is known
	more    bool        // there may be others after them
	step    int
}

// meeting are the words of a search, side by side.
type meeting []*strand

// meet answers what onPage does; false where that would take too long. What is not met, a filter and words that too many
// terms begin with, is asked of those who are.
func (s *search) meet(ctx context.Context, db bun.IDB, now database.Instant, query Query, place candidate) (ids []string, total int, ok bool, err error) {
	if query.Sort == "email" {
		return nil, 0, false, nil
	}
	var m meeting
	asks := candidates{}
	for _, word := range s.words {
		terms, all, err := termsOf(ctx, db, word)
		switch {
		case err != nil:
			return nil, 0, false, err
		case !all:
			asks.left = append(asks.left, word)
		case len(terms) == 0:
			return nil, 0, true, nil
		default:
			m = append(m, &strand{address: whole(word), terms: terms})
		}
	}
	if len(m) == 0 {
		return nil, 0, false, nil
	}
	for _, word := range asks.left {
		if terms, err := within(ctx, db, begun(db, "1", word), some); err != nil || terms < some {
			return nil, 0, false, err // it is quicker to begin with those who have it
		}
	}
	first := func(after candidate, most int) ([]string, bool, error) {
		meet := most
		if len(asks.left) > 0 || query.filters() {
			meet = 2 * (TotalCap + 1)
		}
		met, ok, err := m.met(ctx, db, after, meet)
		if err != nil || !ok || meet == most {
			return idsOf(met), ok, err
		}
		ids, err := asks.ask(ctx, db, now, query, met, most)
		return ids, len(ids) == most || len(met) < meet, err
	}
	if len(m) == 1 && len(asks.left) == 0 && !query.filters() {
		if crowded, err := m[0].crowded(ctx, db); err != nil {
			return nil, 0, false, err
		} else if crowded {
			ids, ok, err = first(place, query.Limit+1)
			return ids, TotalCap + 1, ok, err
		}
	}
	all, ok, err := first(candidate{}, TotalCap+1)
	if err != nil || !ok || query.Cursor == "" {
		return all[:min(len(all), query.Limit+1)], len(all), ok, err
	}
	ids, ok, err = first(place, query.Limit+1)
	return ids, len(all), ok, err
}

var nextTerm = database.Prepare("SELECT term FROM user_terms WHERE address = ? AND term >= ? AND term < ? ORDER BY term LIMIT 1")

// termsOf are the different terms that begin with a word; false where these are more than a few.
func termsOf(ctx context.Context, db bun.IDB, word string) (terms [][]byte, all bool, err error) {
	from, to := prefix(word)
	for {
		var term []byte
		err := nextTerm.Scan(ctx, db, database.Args{whole(word), from, to}, &term)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return terms, true, nil
		case err != nil:
			return nil, false, fmt.Errorf("look for terms: %w", err)
		case len(terms) == fewTerms:
			return nil, false, nil
		}
		terms, from = append(terms, term), append(slices.Clone(term), 0)
	}
}

// met are the first so many people after a place who have all the words; false where that would take too long.
func (m meeting) met(ctx context.Context, db bun.IDB, after candidate, most int) ([]candidate, bool, error) {
	for _, one := range m {
		one.ahead, one.more, one.step = nil, true, firstLook
		if len(m) == 1 {
			one.step = most
		}
	}
	var met []candidate
	at, looks := after.next(), 0
	for {
		furthest, same := at, 0
		for _, one := range m {
			looked, err := one.lookUp(ctx, db, at)
			if err != nil {
				return nil, false, err
			}
			if len(one.ahead) == 0 {
				return met, true, nil
			}
			if looked {
				looks += len(one.terms)
			}
			switch by := one.ahead[0].byPlace(furthest); {
			case by > 0 || same == 0:
				furthest, same = one.ahead[0], 1
			case by == 0:
				same++
			}
		}
		switch {
		case same == len(m):
			if met = append(met, furthest); len(met) == most {
				return met, true, nil
			}
			at = furthest.next()
		case looks > mostLooks:
			return nil, false, nil
		default:
			at = furthest
		}
	}
}

var peopleOfTerm = database.Prepare("SELECT COUNT(*) FROM (SELECT 1 FROM user_terms WHERE address = ? AND term = ? LIMIT ?) AS t")

// crowded reports that one of the terms alone has more people than are ever counted.
func (s *strand) crowded(ctx context.Context, db bun.IDB) (bool, error) {
	for _, term := range s.terms {
		var people int
		if err := peopleOfTerm.Scan(ctx, db, database.Args{s.address, term, TotalCap + 1}, &people); err != nil {
			return false, fmt.Errorf("count people: %w", err)
		}
		if people > TotalCap {
			return true, nil
		}
	}
	return false, nil
}

// next is the place right after somebody's.
func (c candidate) next() candidate {
	if c.id != "" {
		c.id += "0"
	}
	return c
}

var nextPeople = database.Prepare(`SELECT STRING_AGG(t.user_id, ','), STRING_AGG(t.sort_name, ?) FROM (SELECT user_id, sort_name
	FROM user_terms WHERE address = ? AND term = ? AND (sort_name, user_id) >= (?, ?) ORDER BY sort_name, user_id LIMIT ?) AS t`)

// lookUp passes over those before a place, and reads on where nobody is left; it answers whether it has read.
func (s *strand) lookUp(ctx context.Context, db bun.IDB, at candidate) (bool, error) {
	n, _ := slices.BinarySearchFunc(s.ahead, at, candidate.byPlace)
	if s.ahead = s.ahead[n:]; len(s.ahead) > 0 || !s.more {
		return false, nil
	}
	s.more = false
	var until candidate // as far as everybody is known
	for _, term := range s.terms {
		var ids, keys sql.NullString
		if err := nextPeople.Scan(ctx, db, database.Args{[]byte(nul), s.address, term, []byte(at.key), at.id, s.step}, &ids, &keys); err != nil {
			return false, fmt.Errorf("search people: %w", err)
		}
		people := split(ids, keys, nul)
		if len(people) == s.step {
			if last := people[len(people)-1]; !s.more || last.byPlace(until) < 0 {
				until = last
			}
			s.more = true
		}
		s.ahead = append(s.ahead, people...)
	}
	slices.SortFunc(s.ahead, candidate.byPlace)
	s.ahead = slices.Compact(s.ahead)
	if s.more {
		n, _ := slices.BinarySearchFunc(s.ahead, until, candidate.byPlace)
		s.ahead = s.ahead[:n+1]
	}
	s.step = min(2*s.step, mostRead)
	return true, nil
}
