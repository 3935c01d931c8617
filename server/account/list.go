package account

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Protection is the state of 2-step verification that the list filters by.
type Protection string

// The states that the list filters by.
const (
	ProtectionOn        Protection = "on"
	ProtectionOff       Protection = "off"
	ProtectionEnrolling Protection = "enrolling"
	// ProtectionRequiredNotYet are all of whom it is required and who have not turned it on; ProtectionOverdue are
	// those of them whose deadline has passed.
	ProtectionRequiredNotYet Protection = "required_not_yet"
	ProtectionOverdue        Protection = "overdue"
	ProtectionDue            Protection = "due"       // overdue, or within the next 7 days
	ProtectionFewCodes       Protection = "few_codes" // fewer than four left, as the screens warn
	ProtectionLocked         Protection = "locked"    // wrong codes have locked codes
	ProtectionDisabled       Protection = "disabled"  // the account is
	ProtectionInvited        Protection = "invited"   // not joined yet
)

// narrow reports whether few people are in a state, as a rule, and an index has them.
func (p Protection) narrow() bool {
	switch p {
	case "", ProtectionOn, ProtectionOff, ProtectionEnrolling:
		return false
	}
	return true
}

// Query asks for a page of people. Text is matched against the beginnings of words of name and e-mail, all of them.
type Query struct {
	Text       string
	Protection Protection // empty: any
	Role       string     // empty: any
	Sort       string     // "name" or "email"
	Cursor     string     // from the page before; empty: the first page
	Limit      int

	among []string // the ids of all who are in the state, where that is known; nil where it is not
}

// Listed is a row of the list.
type Listed struct {
	User                 `bun:",extend"`
	Enrolling            bool `bun:"enrolling"`
	Locked               bool `bun:"locked"`
	BackupCodesRemaining int  `bun:"backup_codes_remaining"`
}

// Page is one page of people. Next is empty on the last; Total counts all pages, up to TotalCap.
type Page struct {
	People []Listed
	Next   string
	Total  int
}

// TotalCap bounds the counting, so that a total never costs a scan of everybody.
const TotalCap = 1000

// List reads a page of people by keyset: the cursor holds the sort key and id of the last row.
func List(ctx context.Context, db bun.IDB, now database.Instant, query Query) (Page, error) {
	var err error
	if query.among, err = elsewhere(ctx, db, now, query.Protection); err != nil {
		return Page{}, err
	}
	if query.among != nil && len(query.among) == 0 {
		return Page{People: []Listed{}}, nil
	}
	// Who is on the page is decided by ids and sort keys alone, which the indexes have; whole rows are read for those.
	ids, total, err := onPage(ctx, db, now, query)
	if err != nil {
		return Page{}, err
	}
	if len(ids) == 0 {
		return Page{People: []Listed{}, Total: total}, nil
	}
	rows := make([]Listed, 0, len(ids))
	err = db.NewSelect().Model(&rows).ColumnExpr("u.*").
		ColumnExpr("("+enrolling+") AS enrolling", now).
		ColumnExpr("EXISTS (SELECT 1 FROM second_step_tries AS t WHERE t.user_id = u.id AND t.locked_at IS NOT NULL) AS locked").
		ColumnExpr("(SELECT COUNT(*) FROM backup_codes AS c JOIN backup_code_sets AS s ON s.id = c.set_id WHERE s.user_id = u.id AND s.state = 'active' AND c.used_at IS NULL) AS backup_codes_remaining").
		Where("u.id IN ?", bun.Tuple(ids)).OrderExpr(query.order()).Scan(ctx)
	if err != nil {
		return Page{}, fmt.Errorf("list people: %w", err)
	}

	result := Page{People: rows, Total: total}
	if len(rows) > query.Limit {
		result.People = rows[:query.Limit]
		last := result.People[query.Limit-1]
		key := last.SortName
		if query.Sort == "email" {
			key = []byte(last.EmailKey)
		}
		result.Next = sealCursor(key, last.ID)
	}
	return result, nil
}

// column is what a page is sorted by, and then by the id.
func (q Query) column() string {
	if q.Sort == "email" {
		return "u.email_key"
	}
	return "u.sort_name"
}

// order is the column, and what tells those apart who are alike in it: no two people have the same address, so that an index
// of addresses has the whole order.
func (q Query) order() string {
	if q.Sort == "email" {
		return q.column()
	}
	return q.column() + ", u.id"
}

// onPage answers the ids of a page, and of one more where there is a next page, and how many match in all.
func onPage(ctx context.Context, db bun.IDB, now database.Instant, query Query) (ids []string, total int, err error) {
	place, err := query.place()
	if err != nil {
		return nil, 0, err
	}
	look := newSearch(query.Text)
	order := query.order()
	people := func() *bun.SelectQuery {
		return query.after(filter(db.NewSelect().TableExpr("users AS u"), now, query), place)
	}
	read := func(q *bun.SelectQuery) (ids []string, err error) {
		if err := q.ColumnExpr("u.id").OrderExpr(order).Limit(int64(query.Limit)+1).Scan(ctx, &ids); err != nil {
			return nil, fmt.Errorf("list people: %w", err)
		}
		return ids, nil
	}
	if len(look.words) == 0 && query.among != nil {
		return query.few(ctx, db, now, place)
	}
	if len(look.words) == 0 {
		total, err := within(ctx, db, filter(db.NewSelect().ColumnExpr("1").TableExpr("users AS u"), now, query), TotalCap+1)
		if err != nil || total == 0 {
			return nil, 0, err
		}
		ids, err := read(people())
		return ids, total, err
	}
	ids, total, met, err := look.meet(ctx, db, now, query, place)
	if err != nil || met {
		return ids, total, err
	}
	if !query.filters() {
		crowded, err := look.crowded(ctx, db)
		if err != nil {
			return nil, 0, err
		}
		if crowded { // mostly some of them stand everywhere in the list, such as by their family names
			first := people().ColumnExpr("u.id, " + query.column()).OrderExpr(order).Limit(near)
			ids, err := read(having(db.NewSelect().TableExpr("(?) AS u", first), look.words))
			if err != nil || len(ids) > query.Limit {
				return ids, TotalCap + 1, err
			}
		}
	}
	found, err := look.candidates(ctx, db, query.Sort)
	if err != nil {
		return nil, 0, err
	}
	if found.known {
		return found.page(ctx, db, now, query, place)
	}
	all, err := look.people(ctx, db, now, query)
	switch {
	case err != nil || len(all) == 0:
		return nil, 0, err
	case len(all) <= TotalCap:
		ids, err = read(people().Where("u.id IN ?", bun.Tuple(all)))
	default:
		ids, err = read(having(people(), look.words))
	}
	return ids, len(all), err
}

// few answers both where those who may match are few: they are read once, whichever page it is.
func (q Query) few(ctx context.Context, db bun.IDB, now database.Instant, place candidate) (ids []string, total int, err error) {
	var all []struct {
		ID    string
		Later bool // than the page before
	}
	people := filter(db.NewSelect().TableExpr("users AS u"), now, q).ColumnExpr("u.id").OrderExpr(q.order())
	if q.Cursor == "" {
		people = people.ColumnExpr("TRUE AS later")
	} else {
		people = people.ColumnExpr("("+q.column()+", u.id) > (?, ?) AS later", q.key(place), place.id)
	}
	if err := people.Scan(ctx, &all); err != nil {
		return nil, 0, fmt.Errorf("list people in a state: %w", err)
	}
	for _, one := range all {
		if one.Later && len(ids) <= q.Limit {
			ids = append(ids, one.ID)
		}
	}
	return ids, len(all), nil
}

// filters reports whether it asks for more than the text.
func (q Query) filters() bool { return q.Role != "" || q.Protection != "" }

// place is that of the last person of the page before; before everybody where there is none.
func (q Query) place() (candidate, error) {
	if q.Cursor == "" {
		return candidate{}, nil
	}
	key, id, err := openCursor(q.Cursor)
	return candidate{id, string(key)}, err
}

// after leaves those of the list who come after a place.
func (q Query) after(people *bun.SelectQuery, place candidate) *bun.SelectQuery {
	if q.Cursor == "" {
		return people
	}
	return people.Where("("+q.column()+", u.id) > (?, ?)", q.key(place), place.id)
}

// key is the place's value of the column.
func (q Query) key(place candidate) any {
	if q.Sort == "email" {
		return place.key
	}
	return []byte(place.key)
}

// Count counts everybody, however many: for work on all of them, and not for a page.
func Count(ctx context.Context, db bun.IDB) (int, error) {
	everybody, err := db.NewSelect().TableExpr("users AS u").Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count everybody: %w", err)
	}
	return int(everybody), nil
}

func filter(q *bun.SelectQuery, now database.Instant, query Query) *bun.SelectQuery {
	if query.Role != "" {
		q = q.Where("u.role = ?", query.Role)
	}
	switch query.Protection {
	case ProtectionOn:
		q = q.Where("u.mfa_since IS NOT NULL")
	case ProtectionOff:
		// They are few: read once, they cost nothing beside a question about everybody who is off.
		q = q.Where("u.mfa_since IS NULL AND u.id NOT IN ("+underWay+")", now)
	case ProtectionEnrolling:
		q = in(q.Where("u.mfa_since IS NULL"), underWay, query.among, now)
	case ProtectionRequiredNotYet:
		q = q.Where(asked)
	case ProtectionOverdue:
		q = q.Where(asked+" AND COALESCE(u.deadline, 0) <= ?", now)
	case ProtectionDue:
		q = q.Where(asked+" AND COALESCE(u.deadline, 0) <= ?", database.At(now.Time().Add(DueWithin)))
	case ProtectionFewCodes:
		q = q.Where("u.few_codes AND u.mfa_since IS NOT NULL AND u.disabled_at IS NULL") // as the partial indexes say it
	case ProtectionLocked:
		q = in(q.Where("u.disabled_at IS NULL"), locked, query.among)
	case ProtectionDisabled:
		q = q.Where("u.disabled_at IS NOT NULL")
	case ProtectionInvited:
		q = q.Where("u.password_hash = ''")
	}
	return q
}

// asked is as the partial indexes of migration 0009 say it, so that they are used.
const asked = "u.requirement = 'required' AND u.mfa_since IS NULL AND u.disabled_at IS NULL"

const locked = "SELECT t.user_id FROM second_step_tries AS t WHERE t.locked_at IS NOT NULL"

// underWay are those with an enrolment that can still be gone on with, along the index that they expire by.
const underWay = "SELECT e.user_id FROM totp_enrolments AS e WHERE e.expires_at > ?"

// elsewhere reads who is in a state that other tables tell, where that are few, as a rule: then the people are looked up
// by their ids, and no plan can go through everybody. Nil for the other states, and where they are many.
func elsewhere(ctx context.Context, db bun.IDB, now database.Instant, protection Protection) ([]string, error) {
	which := map[Protection]string{ProtectionLocked: locked, ProtectionEnrolling: underWay}[protection]
	if which == "" {
		return nil, nil
	}
	args := []any{TotalCap + 1}
	if protection == ProtectionEnrolling {
		args = []any{now, TotalCap + 1}
	}
	ids := []string{}
	if err := db.NewRaw(which+" LIMIT ?", args...).Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("look for people in a state: %w", err)
	}
	if len(ids) > TotalCap {
		return nil, nil
	}
	return ids, nil
}

func in(q *bun.SelectQuery, which string, among []string, args ...any) *bun.SelectQuery {
	if among == nil {
		return q.Where("u.id IN ("+which+")", args...)
	}
	return q.Where("u.id IN ?", bun.Tuple(among))
}

// enrolling is true for somebody with an enrolment that can still be gone on with at the time given.
const enrolling = "EXISTS (SELECT 1 FROM totp_enrolments AS e WHERE e.user_id = u.id AND e.expires_at > ?)"

// A cursor is no secret and gives no right: it names a place in an order that the same caller may read anyway, and a
// forged one only starts elsewhere in it. So it is encoded, not signed.
func sealCursor(key []byte, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(id + "\n" + string(key)))
}

func openCursor(cursor string) (key []byte, id string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, "", ErrCursor.Because(err)
	}
	id, rest, found := strings.Cut(string(raw), "\n")
	if !found || len(id) != 26 || !utf8.ValidString(id) || strings.ContainsRune(string(raw), 0) {
		return nil, "", ErrCursor
	}
	return []byte(rest), id, nil
}
