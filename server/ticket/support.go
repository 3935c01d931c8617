package ticket

import (
	"context"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// Query asks for a page of the tickets that the support sees, what was written to last first.
type Query struct {
	State, Kind string // empty: any
	Text        string // all of whose words are in reference, name, address or subject
	Cursor      string // of the page before
	Limit       int
}

// mostWords bounds what a search costs.
const mostWords = 8

// mostCounted is up to how many that wait for the support are counted.
const mostCounted = 1000

// list answers a page, and where the next one begins; empty on the last.
func list(ctx context.Context, db bun.IDB, asked Query) (page []Ticket, next string, err error) {
	page = []Ticket{}
	query := db.NewSelect().Model(&page).Where("t.state <> 'unproved'") // as the index of migration 0019 says it
	if asked.State != "" {
		query = query.Where("t.state = ?", asked.State)
	}
	if asked.Kind != "" {
		query = query.Where("t.kind = ?", asked.Kind)
	}
	words := strings.Fields(account.Folded(asked.Text))
	for _, word := range words[:min(len(words), mostWords)] {
		query = query.Where(`t.search LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(word)+"%")
	}
	if at, id, ok := openCursor(asked.Cursor); ok {
		query = query.Where("(t.updated_at, t.id) < (?, ?)", at, id)
	}
	if err := query.OrderExpr("t.updated_at DESC, t.id DESC").Limit(int64(asked.Limit) + 1).Scan(ctx); err != nil {
		return nil, "", wrapped("list tickets", err)
	}
	if len(page) > asked.Limit {
		page = page[:asked.Limit]
		last := page[asked.Limit-1]
		next = strconv.FormatInt(int64(last.UpdatedAt), 10) + "-" + last.ID
	}
	return page, next, nil
}

// openCursor reads where a page begins: a place in an order that every administrator may read, so that a forged one only
// begins elsewhere.
func openCursor(cursor string) (at int64, id string, ok bool) {
	before, id, found := strings.Cut(cursor, "-")
	at, err := strconv.ParseInt(before, 10, 64)
	return at, id, found && err == nil
}

// waiting counts what waits for the support, up to mostCounted.
func waiting(ctx context.Context, db bun.IDB) (int, error) {
	open := db.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1 AS one").Where("t.state = ?", Open).Limit(mostCounted)
	counted, err := db.NewSelect().TableExpr("(?) AS counted", open).Count(ctx)
	return int(counted), wrapped("count open tickets", err)
}

// seen finds a ticket that the support sees.
func seen(ctx context.Context, db bun.IDB, id string) (*Ticket, error) {
	return one(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("t.id = ? AND t.state <> ?", id, Unproved)
	})
}

// answer is the support's message. It answers whether a mail tells of it.
func (t *Tickets) answer(ctx context.Context, caller web.Caller, id, text string) (mailed bool, err error) {
	text = tidy(text)
	if fields := checkText(text); len(fields) > 0 {
		return false, account.ErrInvalid.For(fields...)
	}
	err = t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := t.held(ctx, tx, caller, id)
		if err != nil {
			return err
		}
		to, from := Waiting, []string{Open, Waiting}
		if found.Kind == Recovery {
			to, from = Open, []string{Open}
		}
		said := &Message{TicketID: id, Author: Support, AuthorID: caller.Session.UserID, Body: text}
		if found.Kind == Recovery && found.UserID == caller.Session.UserID {
			return ErrOwnRecovery
		}
		if found.Kind == Recovery && found.State != Open {
			return ErrRecovery // it is decided: nobody opens it again
		}
		if err := add(ctx, tx, said, to, from...); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, bySupport(caller, found).Is(audit.TicketAnswered, audit.OK)); err != nil {
			return err
		}
		mailed, err = t.tellPerson(ctx, tx, found, mail.TicketAnswered)
		return err
	})
	return mailed, err
}

// solve ends a ticket. It answers whether a mail tells of it.
func (t *Tickets) solve(ctx context.Context, caller web.Caller, id string) (mailed bool, err error) {
	err = t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := t.turn(ctx, tx, caller, id, audit.TicketSolved, Solved, Open, Waiting)
		if err != nil || found == nil {
			return err
		}
		mailed, err = t.tellPerson(ctx, tx, found, mail.TicketSolved)
		return err
	})
	return mailed, err
}

func (t *Tickets) reopen(ctx context.Context, caller web.Caller, id string) error {
	return t.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		_, err := t.turn(ctx, tx, caller, id, audit.TicketReopened, Open, Solved)
		return err
	})
}

// turn moves a ticket and puts that on record; nil where it is so already.
func (t *Tickets) turn(ctx context.Context, tx database.Tx, caller web.Caller, id, event, to string, from ...string) (*Ticket, error) {
	found, err := t.held(ctx, tx, caller, id)
	if err != nil {
		return nil, err
	}
	if found.Kind == Recovery {
		return nil, ErrRecovery
	}
	moved, err := Move(ctx, tx, id, to, from...)
	if err != nil || !moved {
		return nil, err
	}
	return found, audit.Record(ctx, tx, bySupport(caller, found).Is(event, audit.OK))
}

// held finds a ticket for an administrator who is one still.
func (t *Tickets) held(ctx context.Context, tx database.Tx, caller web.Caller, id string) (*Ticket, error) {
	if err := account.StillAdministrator(ctx, tx, caller); err != nil {
		return nil, err
	}
	return seen(ctx, tx, id)
}

// bySupport begins an event about a ticket, by an administrator.
func bySupport(caller web.Caller, of *Ticket) audit.Event {
	event := audit.By(caller).About(of.UserID)
	event.Data = map[string]any{"reference": of.Reference}
	return event
}
