package account

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

const (
	// some is how many terms of a word are read at first: mostly they are all there are.
	some = 5000
	// few is so few terms that it is quicker to read them all than to go along the list.
	few = 30_000
	// askRather is how many terms are read in the time in which one person is asked for a word.
	askRather = 30
	// soonAsked is so few people that to ask them takes no time.
	soonAsked = 100
	// scarce is how many people who pass a filter are read, in the hope that they are all.
	scarce = 3000
)

// candidate is somebody who has words of a search, with their key in the order of the list.
type candidate struct{ id, key string }

func (c candidate) byPlace(other candidate) int {
	if by := strings.Compare(c.key, other.key); by != 0 {
		return by
	}
	return c.byID(other)
}

func (c candidate) byID(other candidate) int { return strings.Compare(c.id, other.id) }

// candidates are the people who have the words of a search, but for the words that are left: of these it is quicker to ask
// each of the people.
type candidates struct {
	known  bool        // a word has been read
	people []candidate // in the order of their ids
	left   []string
}

// candidates reads who has the words. They are not known where each of the words is so common that it is quicker to go
// along the list.
func (s *search) candidates(ctx context.Context, db bun.IDB, sort string) (*candidates, error) {
	c := &candidates{}
	var common []string
	for _, word := range s.words {
		if c.known && len(c.people) <= soonAsked {
			c.left = append(c.left, word)
		} else if read, err := c.read(ctx, db, word, sort, some); err != nil {
			return nil, err
		} else if !read {
			common = append(common, word)
		}
	}
	if !c.known {
		rarest, err := rarestOf(ctx, db, common)
		if err != nil || rarest == "" {
			return c, err
		}
		if read, err := c.read(ctx, db, rarest, sort, few); err != nil || !read {
			return c, err
		}
		common = slices.DeleteFunc(common, func(word string) bool { return word == rarest })
	}
	for _, word := range common {
		read := false
		if most := min(few, askRather*len(c.people)); most > some {
			terms, err := within(ctx, db, begun(db, "1", word), most)
			if err == nil && terms < most {
				read, err = c.read(ctx, db, word, sort, most)
			}
			if err != nil {
				return nil, err
			}
		}
		if !read {
			c.left = append(c.left, word)
		}
	}
	return c, nil
}

// rarestOf is the word with the fewest terms; empty where none has few.
func rarestOf(ctx context.Context, db bun.IDB, words []string) (rarest string, err error) {
	fewest := few
	for _, word := range words {
		terms, err := within(ctx, db, begun(db, "1", word), fewest)
		if err != nil {
			return "", err
		}
		if terms < fewest {
			rarest, fewest = word, terms
		}
	}
	return rarest, nil
}

// What stands between ids and addresses, which have none in them, and between names.
const comma, nul = ",", "\x00"

// read leaves those of the people who have one more word; false where that has so many terms, or more. Each column comes
// as one text, since to read thousands of rows takes several times as long.
func (c *candidates) read(ctx context.Context, db bun.IDB, word, sort string, most int) (bool, error) {
	terms, between := begun(db, "t.user_id", word).Limit(int64(most)), comma
	read := db.NewSelect().ColumnExpr("STRING_AGG(t.user_id, ?)", comma)
	switch {
	case c.known: // and their keys with them
		read = read.ColumnExpr("NULL")
	case sort == "email":
		terms, read = terms.ColumnExpr("t.email_key"), read.ColumnExpr("STRING_AGG(t.email_key, ?)", comma)
	default:
		terms, read, between = terms.ColumnExpr("t.sort_name"), read.ColumnExpr("STRING_AGG(t.sort_name, ?)", []byte(nul)), nul
	}
	var ids, keys sql.NullString
	if err := read.TableExpr("(?) AS t", terms).Scan(ctx, &ids, &keys); err != nil {
		return false, fmt.Errorf("search people: %w", err)
	}
	people := split(ids, keys, between)
	if len(people) >= most {
		return false, nil
	}
	if c.known {
		c.narrow(idsOf(people))
		return true, nil
	}
	// Somebody can have several terms that begin with the word.
	slices.SortFunc(people, candidate.byID)
	c.known, c.people = true, slices.Compact(people)
	return true, nil
}

// split takes apart what was read of people in one piece.
func split(ids, keys sql.NullString, between string) []candidate {
	if !ids.Valid { // nobody
		return nil
	}
	people := make([]candidate, 0, strings.Count(ids.String, comma)+1)
	for id := range strings.SplitSeq(ids.String, comma) {
		key, rest, _ := strings.Cut(keys.String, between)
		keys.String = rest
		people = append(people, candidate{id, key})
	}
	return people
}

// narrow leaves those of the people who are among the ids, and sorts these.
func (c *candidates) narrow(ids []string) {
	slices.Sort(ids)
	c.people = slices.DeleteFunc(c.people, func(one candidate) bool {
		for len(ids) > 0 && ids[0] < one.id {
			ids = ids[1:]
		}
		return len(ids) == 0 || ids[0] != one.id
	})
}

// page answers the ids of a page, and of one more where there is a next page, and how many match in all.
func (c *candidates) page(ctx context.Context, db bun.IDB, now database.Instant, query Query, after candidate) (ids []string, total int, err error) {
	filtered, err := c.filter(ctx, db, now, query)
	if err != nil {
		return nil, 0, err
	}
	if filtered && len(c.left) == 0 {
		return c.first(query.Limit+1, after), min(len(c.people), TotalCap+1), nil
	}
	slices.SortFunc(c.people, candidate.byPlace)
	ids, err = c.ask(ctx, db, now, query, c.people, TotalCap+1)
	if err != nil || query.Cursor == "" {
		return ids[:min(len(ids), query.Limit+1)], len(ids), err
	}
	total = len(ids)
	next, found := slices.BinarySearchFunc(c.people, after, candidate.byPlace)
	if found {
		next++
	}
	ids, err = c.ask(ctx, db, now, query, c.people[next:], query.Limit+1)
	return ids, total, err
}

// filter leaves those who pass the filter of a query; false where they have to be asked, since many others do, too.
func (c *candidates) filter(ctx context.Context, db bun.IDB, now database.Instant, query Query) (bool, error) {
	if !query.filters() {
		return true, nil
	}
	if len(c.people) <= soonAsked || !query.Protection.narrow() && query.Role != Administrator {
		return false, nil
	}
	var ids []string
	passing := filter(db.NewSelect().ColumnExpr("u.id").TableExpr("users AS u"), now, query)
	if err := passing.Limit(scarce).Scan(ctx, &ids); err != nil {
		return false, fmt.Errorf("search people: %w", err)
	}
	if len(ids) == scarce {
		return false, nil
	}
	c.narrow(ids)
	return true, nil
}

// first answers the ids of those who come first after a place. They are so few of the people that to sort all of them
// would take longer.
func (c *candidates) first(most int, after candidate) []string {
	first := make([]candidate, 0, most+1)
	for _, one := range c.people {
		if one.byPlace(after) <= 0 || len(first) == most && one.byPlace(first[most-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, one, candidate.byPlace)
		first = slices.Insert(first, at, one)
		first = first[:min(len(first), most)]
	}
	return idsOf(first)
}

// ask answers the ids of the first of the people, who are in the order of the list, who have the words that are left and
// pass the filter.
func (c *candidates) ask(ctx context.Context, db bun.IDB, now database.Instant, query Query, people []candidate, most int) ([]string, error) {
	found := make([]string, 0, most)
	for size := TotalCap + TotalCap/10; len(people) > 0 && len(found) < most; size *= 10 {
		asked := idsOf(people[:min(size, len(people))])
		people = people[len(asked):]
		var passed []string
		q := filter(db.NewSelect().ColumnExpr("u.id").TableExpr("users AS u").Where("u.id IN ?", bun.Tuple(asked)), now, query)
		if err := having(q, c.left).Scan(ctx, &passed); err != nil {
			return nil, fmt.Errorf("search people: %w", err)
		}
		slices.Sort(passed)
		found = append(found, slices.DeleteFunc(asked, func(id string) bool {
			_, has := slices.BinarySearch(passed, id)
			return !has
		})...)
	}
	return found[:min(len(found), most)], nil
}

func idsOf(people []candidate) []string {
	ids := make([]string, len(people))
	for n, one := range people {
		ids[n] = one.id
	}
	return ids
}
