package audit

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// Search asks for events of the whole account; what is empty narrows nothing.
type Search struct {
	Person   string // id of who did it or whom it is about
	Actor    string // id of who did it
	Kind     string
	Result   string
	Address  string
	From, To time.Time // from then on, and before then
	Before   string    // id of the last event of the page before
}

// condition narrows a search by the value of a column.
type condition struct {
	column, value string
	indexed       string // what the column's index leaves out, in words that both databases recognise
}

// conditions are all but the person's, the one that most narrows first.
func (s Search) conditions() []condition {
	address := s.Address
	if parsed, err := netip.ParseAddr(address); err == nil {
		address = parsed.String()
	}
	all := []condition{
		{"actor_id", s.Actor, "actor_id IS NOT NULL"}, {"address", address, "address <> ''"},
		{"result", s.Result, "result <> 'ok'"}, {"kind", s.Kind, ""},
	}
	if s.Result == OK { // nearly every event's, and in no index
		all[2], all[3] = all[3], condition{"result", s.Result, ""}
	}
	return slices.DeleteFunc(all, func(c condition) bool { return c.value == "" })
}

// narrow applies the conditions and the times. The first condition leads: its index is walked in the order of the page,
// and what else is asked is looked at event by event. Which one leads is said here and not left to the databases, of
// which one knows nothing about how often a value occurs: an expression is in no index.
func (s Search) narrow(query *bun.SelectQuery, conditions []condition) *bun.SelectQuery {
	for n, c := range conditions {
		if n > 0 {
			query = query.Where("? || '' = ?", bun.Ident(c.column), c.value)
			continue
		}
		query = query.Where("? = ?", bun.Ident(c.column), c.value)
		if c.indexed != "" {
			query = query.Where(c.indexed)
		}
	}
	if !s.From.IsZero() {
		query = query.Where("id >= ?", firstID(s.From))
	}
	if !s.To.IsZero() {
		query = query.Where("id < ?", firstID(s.To))
	}
	return query
}

// firstID is database.FirstID for times that anybody may send.
func firstID(at time.Time) string {
	if at.Before(time.UnixMilli(0)) {
		at = time.UnixMilli(0)
	}
	// Milliseconds are rounded up: what happened in the one that has begun was before.
	return database.FirstID(at.Add(time.Millisecond - 1).Truncate(time.Millisecond))
}

// queries are what a page is read with: one, or two where a person may be on either side.
func (s Search) queries(db bun.IDB, limit int) []*bun.SelectQuery {
	one := func(lead ...condition) *bun.SelectQuery {
		query := s.narrow(db.NewSelect().Model((*row)(nil)), append(lead, s.conditions()...))
		if s.Before != "" {
			query = query.Where("id < ?", s.Before)
		}
		return query.OrderExpr("id DESC").Limit(int64(limit))
	}
	if s.Person == "" {
		return []*bun.SelectQuery{one()}
	}
	return []*bun.SelectQuery{
		one(condition{"subject_id", s.Person, ""}), one(condition{"actor_id", s.Person, "actor_id IS NOT NULL"}),
	}
}

// page reads the events that fit, the newest first.
func (s Search) page(ctx context.Context, db bun.IDB, limit int) ([]row, error) {
	var found []row
	for _, query := range s.queries(db, limit) {
		var rows []row
		if err := query.Scan(ctx, &rows); err != nil {
			return nil, fmt.Errorf("search events: %w", err)
		}
		found = append(found, rows...)
	}
	slices.SortFunc(found, func(a, b row) int { return cmp.Compare(b.ID, a.ID) })
	found = slices.CompactFunc(found, func(a, b row) bool { return a.ID == b.ID })
	return found[:min(limit, len(found))], nil
}

// Count tells how many events fit.
func (s Search) Count(ctx context.Context, db bun.IDB) (int, error) {
	query := s.narrow(db.NewSelect().Model((*row)(nil)), s.conditions())
	if s.Person != "" {
		query = query.Where("(subject_id = ? OR actor_id = ?)", s.Person, s.Person)
	}
	n, err := query.Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return int(n), nil
}

// People answers who is who, which a room further up knows.
type People interface {
	// Names are those of the people of the account among the ids.
	Names(ctx context.Context, ids []string) (map[string]string, error)
	// Identify makes an id of what names a person: their e-mail address, or the id itself, also of one who is gone.
	Identify(ctx context.Context, person string) (string, error)
}

// Entry is an event as administrators read it, in answers and exports.
type Entry struct {
	ID          string         `json:"id"`
	At          time.Time      `json:"at"`
	Schema      int            `json:"schema" doc:"Version of the meaning of the fields."`
	Kind        string         `json:"kind" doc:"See docs/events.md."`
	Result      string         `json:"result" enum:"ok,refused,fault"`
	By          string         `json:"by" enum:"self,other,console,nobody" doc:"Who did it: the person it is about, somebody else of the account, the console, or somebody who had proved nothing yet."`
	ActorID     string         `json:"actor_id" doc:"Empty where nobody was known, and for the console."`
	ActorName   *string        `json:"actor_name" doc:"Null where there is none, or who is no longer of the account."`
	SubjectID   string         `json:"subject_id" doc:"Whom it is about; may be empty."`
	SubjectName *string        `json:"subject_name" doc:"As actor_name."`
	SessionID   string         `json:"session_id" doc:"The stable id of the session or the pending sign-in, which gives no right; may be empty."`
	Method      string         `json:"method" doc:"password, or the kind of factor; may be empty."`
	Reason      string         `json:"reason" doc:"Why it was refused, or what made it necessary; may be empty."`
	Address     string         `json:"address"`
	Browser     string         `json:"browser"`
	RequestID   string         `json:"request_id" doc:"The same as in the answer and in the log."`
	Data        map[string]any `json:"data" doc:"Small facts that the kind defines."`
}

// Find answers a page of events, the newest first, and whether there are older ones.
func (s Search) Find(ctx context.Context, db bun.IDB, people People, limit int) (entries []Entry, more bool, err error) {
	rows, err := s.page(ctx, db, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	ids := make([]string, 0, 2*len(rows))
	for n := range rows {
		ids = append(ids, rows[n].ActorID, rows[n].SubjectID)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	names, err := people.Names(ctx, ids)
	if err != nil {
		return nil, false, err
	}
	entries = make([]Entry, len(rows))
	for n := range rows {
		if entries[n], err = rows[n].entry(names); err != nil {
			return nil, false, err
		}
	}
	return entries, more, nil
}

func (r *row) entry(names map[string]string) (Entry, error) {
	facts, err := r.facts()
	if err != nil {
		return Entry{}, err
	}
	return Entry{
		ID: r.ID, At: r.At.Time(), Schema: r.Schema, Kind: r.Kind, Result: r.Result, By: r.by(),
		ActorID: r.ActorID, ActorName: named(r.ActorID, names), SubjectID: r.SubjectID, SubjectName: named(r.SubjectID, names),
		SessionID: r.SessionID, Method: r.Method, Reason: r.Reason,
		Address: r.Address, Browser: r.Browser, RequestID: r.RequestID, Data: facts,
	}, nil
}

// named is a known name.
func named(id string, names map[string]string) *string {
	if name, known := names[id]; known {
		return &name
	}
	return nil
}

// by is who did it.
func (r *row) by() string {
	switch {
	case r.Browser == FromConsole().Browser:
		return "console"
	case r.ActorID == "":
		return "nobody"
	case r.ActorID == r.SubjectID:
		return "self"
	}
	return "other"
}
