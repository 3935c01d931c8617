package account

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

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
)

// Query asks for a page of people. Text is matched against the beginnings of words of name and e-mail, all of them.
type Query struct {
	Text       string
	Protection Protection // empty: any
	Role       string     // empty: any
	Sort       string     // "name" or "email"
	Cursor     string     // from the page before; empty: the first page
	Limit      int
}

// Listed is a row of the list.
type Listed struct {
	User                 `bun:",extend"`
	Enrolling            bool `bun:"enrolling"`
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
	column := "u.sort_name"
	if query.Sort == "email" {
		column = "u.email_key"
	}
	look, err := newSearch(ctx, db, query.Text)
	if err != nil {
		return Page{}, err
	}
	total, err := count(ctx, db, now, query, look)
	if err != nil {
		return Page{}, err
	}
	rows := make([]Listed, 0, query.Limit+1)
	page := look.from(db.NewSelect().Model(&rows).ModelTableExpr("")).
		ColumnExpr("u.*").
		ColumnExpr("("+enrolling+") AS enrolling", now).
		ColumnExpr("(SELECT COUNT(*) FROM backup_codes AS c JOIN backup_code_sets AS s ON s.id = c.set_id WHERE s.user_id = u.id AND s.state = 'active' AND c.used_at IS NULL) AS backup_codes_remaining").
		OrderExpr(column + ", u.id").Limit(int64(query.Limit) + 1)
	page = filter(page, now, query)
	if query.Cursor != "" {
		key, id, err := openCursor(query.Cursor)
		if err != nil {
			return Page{}, err
		}
		var after any = key
		if query.Sort == "email" {
			after = string(key)
		}
		page = page.Where("("+column+", u.id) > (?, ?)", after, id)
	}
	if err := page.Scan(ctx); err != nil {
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

// count answers how many match, and chooses by it how they are found.
func count(ctx context.Context, db bun.IDB, now database.Instant, query Query, look *search) (int, error) {
	if query.Role == "" && query.Protection == "" {
		if crowded, err := look.crowded(ctx, db); err != nil || crowded {
			return TotalCap + 1, err
		}
	}
	look.few = len(look.words) > 0
	counted := filter(look.from(db.NewSelect().ColumnExpr("1")), now, query).Limit(TotalCap + 1)
	total, err := db.NewSelect().TableExpr("(?) AS counted", counted).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count people: %w", err)
	}
	look.few = look.few && int(total) <= TotalCap
	return int(total), nil
}

func filter(q *bun.SelectQuery, now database.Instant, query Query) *bun.SelectQuery {
	if query.Role != "" {
		q = q.Where("u.role = ?", query.Role)
	}
	switch query.Protection {
	case ProtectionOn:
		q = q.Where("u.mfa_since IS NOT NULL")
	case ProtectionOff:
		q = q.Where("u.mfa_since IS NULL AND NOT "+enrolling, now)
	case ProtectionEnrolling:
		q = q.Where("u.mfa_since IS NULL AND "+enrolling, now)
	}
	return q
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
	if !found || len(id) != 26 || strings.ContainsRune(string(raw), 0) {
		return nil, "", ErrCursor
	}
	return []byte(rest), id, nil
}
