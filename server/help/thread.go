package help

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "maragu.dev/gomponents"      //nolint:staticcheck // markup reads as markup
	. "maragu.dev/gomponents/html" //nolint:staticcheck // as above

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// What a form of a ticket does.
const (
	actRead    = "read"
	actProve   = "prove"
	actDiscard = "discard"
	actReply   = "reply"
	actSolve   = "solve"
)

// ticketPages are where one reads a ticket of one's own and writes into it. Reference and key are typed, or put into the
// form by a script that finds them in the fragment of the link: the key is in no address that is sent anywhere.
func (h *Help) ticketPages(ctx context.Context, visit web.Visit, v *view) web.Page {
	caller, err := v.who(visit)
	if err != nil {
		return web.Page{Fault: err}
	}
	if visit.Form == nil {
		reference := visit.Query.Get("reference")
		if reference == "" || caller.Session == nil {
			return v.openTicket(ctx, caller, filled{values: url.Values{"reference": {reference}}}, http.StatusOK)
		}
		read, err := h.Tickets.Read(ctx, caller, ticket.Own{Reference: reference})
		return v.answered(ctx, caller, filled{values: url.Values{"reference": {reference}}}, read, err, visit.Query.Get("said"))
	}
	if !takes(visit.Form, "act", "reference", "key", "text") {
		return v.refused(http.StatusUnprocessableEntity)
	}
	if wait := h.letters.spend(visit.Network, h.Now()); wait > 0 {
		return v.slow(wait)
	}
	own := ticket.Own{Reference: visit.Form.Get("reference"), Key: visit.Form.Get("key")}
	var read *ticket.Thread
	said := ""
	switch visit.Form.Get("act") {
	case actRead:
		if own.Key == "" { // it is asked for
			return v.answered(ctx, caller, filled{values: visit.Form}, nil, ticket.ErrNoTicket, "")
		}
		read, err = h.Tickets.Read(ctx, caller, own)
	case actProve:
		said = "proved"
		read, err = h.Tickets.Prove(ctx, caller, own)
	case actDiscard:
		if err = h.Tickets.Discard(ctx, caller, own); err == nil {
			return v.discarded().private(http.StatusOK)
		}
	case actReply:
		said = "replied"
		read, err = h.Tickets.Reply(ctx, caller, own, visit.Form.Get("text"))
	case actSolve:
		said = "solved"
		read, err = h.Tickets.Solve(ctx, caller, own)
	default:
		return v.refused(http.StatusUnprocessableEntity)
	}
	if err == nil && own.Key == "" {
		return web.Page{See: ownAddress(read.Reference, said) + "#last"}
	}
	if err != nil && !errors.Is(err, ticket.ErrNoTicket) && visit.Form.Get("act") != actRead {
		// What was typed is not lost: the ticket is shown with it.
		if again, failed := h.Tickets.Read(ctx, caller, own); failed == nil {
			read = again
		}
	}
	return v.answered(ctx, caller, filled{values: visit.Form}, read, err, said)
}

// answered is a ticket, or why there is none to see, or the ticket with why something was not taken.
func (v *view) answered(ctx context.Context, caller web.Caller, f filled, read *ticket.Thread, err error, said string) web.Page {
	w := v.locale.words.Contact
	if err == nil && read.State == ticket.Unproved {
		return v.unproved(f, read).private(http.StatusOK)
	}
	if err == nil {
		f.values = url.Values{"reference": {read.Reference}, "key": {f.values.Get("key")}} // what was sent is in the thread
		return v.thread(f, read, said).private(http.StatusOK)
	}
	var refusal *problem.Problem
	switch {
	case errors.Is(err, ticket.ErrNoTicket):
		f.notice = w.NoTicket
	case errors.Is(err, account.ErrInvalid) && errors.As(err, &refusal):
		f.wrong, f.notice = refusal.Fields, w.Mend
	case errors.Is(err, ticket.ErrTooManyTickets):
		f.notice = w.TooManyTickets
	case errors.Is(err, ticket.ErrTooManyMessages):
		f.notice = w.TooManyMessages
	case errors.Is(err, ticket.ErrThreadFull):
		f.notice = w.ThreadFull
	case errors.Is(err, ticket.ErrProved):
		f.notice = w.ProvedAlready
	case errors.Is(err, ticket.ErrRecovery), errors.Is(err, ticket.ErrSolved):
		f.notice = w.RecoveryEnds
	default:
		return web.Page{Fault: err}
	}
	status, after := problem.Of(err).Status, problem.Of(err).RetryAfter
	var page web.Page
	switch {
	case read == nil:
		page = v.openTicket(ctx, caller, f, status)
	case read.State == ticket.Unproved:
		page = v.unproved(f, read).private(status)
	default:
		page = v.thread(f, read, "").private(status)
	}
	page.RetryAfter = after
	return page
}

// openTicket asks for reference and key, below the tickets of whoever is signed in.
func (v *view) openTicket(ctx context.Context, caller web.Caller, f filled, status int) web.Page {
	w := v.locale.words.Contact
	own, lead := Node(nil), w.TicketLead
	if caller.Session != nil {
		mine, err := v.help.Tickets.Mine(ctx, caller)
		if err != nil {
			return web.Page{Fault: err}
		}
		own, lead = v.mine(mine), w.TicketOther
	}
	// The key is typed anew: it stands in no page that nobody has opened a ticket with.
	typed := filled{values: url.Values{"reference": {f.values.Get("reference")}}}
	return (&sheet{view: v, title: w.TicketTitle, content: Div(Class("index letter"),
		v.crumbs(w.TicketTitle), H1(Text(w.TicketTitle)), complaint(f.notice), own,
		P(If(own == nil, Class("lead")), Text(lead)),
		NoScript(P(Class("muted"), Text(w.TicketByHand))),
		Form(Class("fields"), Method("post"), Action(Prefix+ticketPage), hidden("act", actRead),
			v.field(typed, "reference", w.Reference, MaxLength("20"), AutoComplete("off"), Attr("autocapitalize", "characters"), Attr("spellcheck", "false")),
			v.field(typed, "key", w.Key, MaxLength("60"), AutoComplete("off"), Attr("autocapitalize", "characters"), Attr("spellcheck", "false")),
			Button(Class("button primary"), Type("submit"), Text(w.Open)),
		),
		P(Class("muted"), Text(w.Lost+" "), A(Href(Prefix+contactPage), Text(w.Again))),
	)}).private(status)
}

// mine lists the tickets of whoever is signed in.
func (v *view) mine(list []ticket.Ticket) Node {
	w := v.locale.words.Contact
	if len(list) == 0 {
		return Section(P(Class("lead"), Text(w.None)), P(A(Class("button primary"), Href(Prefix+contactPage), Text(w.Title))))
	}
	return Section(Aria("labelledby", "mine"), H2(ID("mine"), Text(w.Mine)),
		Ul(Class("tickets panel"), Map(list, func(one ticket.Ticket) Node {
			return Li(A(Href(ownAddress(one.Reference, "")), Dir("auto"), Text(v.subject(&one))), v.state(one.State),
				P(Class("muted small"), Text(one.Reference+" · "), v.moment(one.UpdatedAt.Time())))
		})),
		P(A(Class("button"), Href(Prefix+contactPage), Text(w.Again))),
	)
}

func (v *view) subject(of *ticket.Ticket) string {
	if of.Kind == ticket.Recovery {
		return v.locale.words.Contact.Recovery
	}
	return of.Subject
}

func (v *view) state(state string) Node {
	return Span(Class("state "+state), Text(v.locale.words.Contact.States[state]))
}

func (v *view) moment(at time.Time) Node {
	text := fill(v.locale.words.Contact.Moment, "date", v.locale.words.day(at), "time", at.UTC().Format("15:04"))
	return Time(DateTime(at.UTC().Format(time.RFC3339)), Text(text))
}

// unproved asks whoever reads the mailbox whether they have written a ticket, and shows what they would say is theirs: it may
// be a stranger's, who gave their address. It is plain text, and marked as what somebody wrote.
func (v *view) unproved(f filled, of *ticket.Thread) *sheet {
	w := v.locale.words.Contact
	answer := func(act, class, label string) Node {
		return Form(Method("post"), Action(Prefix+ticketPage), hidden("act", act), hidden("reference", of.Reference), hidden("key", f.values.Get("key")),
			Button(Class(class), Type("submit"), Text(label)))
	}
	text := ""
	if len(of.Messages) > 0 {
		text = strings.Join(of.Messages[0].Lines(), "\n")
	}
	return &sheet{view: v, title: w.UnprovedTitle, content: Div(Class("index letter"),
		v.crumbs(w.UnprovedTitle), H1(Text(w.UnprovedTitle)), P(Class("lead"), Text(fill(w.Unproved, "email", of.Email))),
		complaint(f.notice),
		Dl(Class("once panel written"),
			Dt(Text(w.UnprovedName)), Dd(Dir("auto"), Text(of.Name)),
			Dt(Text(w.Subject)), Dd(Dir("auto"), Text(of.Subject)),
			Dt(Text(w.UnprovedText)), Dd(Class("said"), Dir("auto"), Text(text)),
		),
		Div(Class("ways"), answer(actProve, "button primary", w.Prove), answer(actDiscard, "button", w.Discard)),
		P(Class("muted"), Text(w.UnprovedWhy)),
	)}
}

// discarded says that somebody else's ticket is gone.
func (v *view) discarded() *sheet {
	w := v.locale.words.Contact
	return &sheet{view: v, title: w.DiscardedTitle, content: Div(Class("index letter"),
		v.crumbs(w.TicketTitle), H1(Text(w.DiscardedTitle)), P(Class("lead"), Role("status"), Text(w.Discarded)),
		P(A(Class("button"), Href(Prefix+contactPage), Text(w.Again))),
	)}
}

// thread is the page of one ticket.
func (v *view) thread(f filled, of *ticket.Thread, said string) *sheet {
	w := v.locale.words.Contact
	subject := v.subject(of.Ticket)
	named := Group{hidden("reference", of.Reference), If(f.values.Get("key") != "", hidden("key", f.values.Get("key")))}
	closed := of.Kind == ticket.Recovery && of.State == ticket.Solved
	return &sheet{view: v, title: subject, content: Div(Class("index letter"),
		Nav(Class("crumbs"), Aria("label", v.locale.words.Here), Ol(
			Li(A(Href(Prefix), Text(v.locale.words.Help))), Li(A(Href(Prefix+ticketPage), Text(w.TicketTitle))), Li(Text(of.Reference)))),
		H1(Dir("auto"), Text(subject)),
		P(Class("facts"), v.state(of.State), Span(Text(fill(w.Since, "reference", of.Reference)+" ")), v.moment(of.CreatedAt.Time())),
		If(w.Said[said] != "", P(Class("thanks"), Role("status"), Text(w.Said[said]))),
		Ol(Class("messages"), Map(of.Messages, func(one ticket.Message) Node {
			who := w.You
			if one.Author == ticket.Support {
				who = w.Support
			}
			last := one.ID == of.Messages[len(of.Messages)-1].ID
			return Li(Class("message panel "+one.Author), If(last, ID("last")),
				P(Class("from"), Strong(Text(who)), Span(Class("muted small"), v.moment(one.At.Time()))),
				P(Class("said"), Dir("auto"), Text(strings.Join(one.Lines(), "\n"))))
		})),
		complaint(f.notice),
		If(of.State == ticket.Solved && !closed, P(Class("muted"), Text(w.IsSolved))),
		If(closed, P(Class("muted"), Text(w.RecoveryEnds))),
		If(!closed, Form(Class("fields"), Method("post"), Action(Prefix+ticketPage), hidden("act", actReply), named,
			v.area(f, w.Reply, 5),
			Button(Class("button primary"), Type("submit"), Text(w.ReplyTo)),
		)),
		If(of.Kind == ticket.Help && of.State != ticket.Solved, Form(Class("solve"), Method("post"), Action(Prefix+ticketPage), hidden("act", actSolve), named,
			P(Class("muted"), ID("solve-why"), Text(w.SolveWhy)),
			Button(Class("button"), Type("submit"), Aria("describedby", "solve-why"), Text(w.Solve)),
		)),
	)}
}
