package help

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	. "maragu.dev/gomponents"      //nolint:staticcheck // markup reads as markup
	. "maragu.dev/gomponents/html" //nolint:staticcheck // as above

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// Where people write to the support, and where they read its answers. Their articles' names are taken.
const (
	contactPage = "/contact"
	ticketPage  = "/ticket"
)

const saidSent = "sent"

// contactWords are on the pages of tickets.
type contactWords struct {
	Title      string `json:"title"`
	Lead       string `json:"lead"`
	LeadMail   string `json:"lead_mail"`
	LeadNoMail string `json:"lead_no_mail"`
	As         string `json:"as"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	Subject    string `json:"subject"`
	Text       string `json:"text"`
	TextHint   string `json:"text_hint"`
	Send       string `json:"send"`
	HaveOne    string `json:"have_one"`
	HaveOneWay string `json:"have_one_way"`
	Mend       string `json:"mend"`

	SentTitle string `json:"sent_title"`
	Sent      string `json:"sent"`
	SentNot   string `json:"sent_not"`
	Again     string `json:"again"`

	OpenedTitle string `json:"opened_title"`
	Opened      string `json:"opened"`
	OpenedLink  string `json:"opened_link"`
	Reference   string `json:"reference"`
	Key         string `json:"key"`
	OpenIt      string `json:"open_it"`

	TicketTitle  string `json:"ticket_title"`
	TicketLead   string `json:"ticket_lead"`
	TicketOther  string `json:"ticket_other"`
	Mine         string `json:"mine"`
	None         string `json:"none"`
	Open         string `json:"open"`
	TicketByHand string `json:"ticket_by_hand"`
	Lost         string `json:"lost"`
	NoTicket     string `json:"no_ticket"`
	Recovery     string `json:"recovery"`
	RecoveryEnds string `json:"recovery_ends"`

	UnprovedTitle  string `json:"unproved_title"`
	Unproved       string `json:"unproved"`
	UnprovedName   string `json:"unproved_name"`
	UnprovedText   string `json:"unproved_text"`
	UnprovedWhy    string `json:"unproved_why"`
	Prove          string `json:"prove"`
	ProvedAlready  string `json:"proved_already"`
	Discard        string `json:"discard"`
	DiscardedTitle string `json:"discarded_title"`
	Discarded      string `json:"discarded"`

	States   map[string]string `json:"states"`
	Since    string            `json:"since"`
	You      string            `json:"you"`
	Support  string            `json:"support"`
	Reply    string            `json:"reply"`
	ReplyTo  string            `json:"reply_send"`
	Solve    string            `json:"solve"`
	SolveWhy string            `json:"solve_why"`
	IsSolved string            `json:"is_solved"`
	Said     map[string]string `json:"said"`
	Moment   string            `json:"moment"`

	TooManyTickets  string            `json:"too_many_tickets"`
	TooManyMessages string            `json:"too_many_messages"`
	ThreadFull      string            `json:"thread_full"`
	Fields          map[string]string `json:"fields"`
}

// filled is a form as it was sent, with what is wrong with it.
type filled struct {
	values url.Values
	wrong  []problem.Field
	notice string // what is wrong with all of it
}

// takes says whether a form has no fields but these.
func takes(form url.Values, names ...string) bool {
	for name := range form {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

// who is signed in, for the pages that have to know. It tells the page, too.
func (v *view) who(visit web.Visit) (web.Caller, error) {
	caller, err := visit.Who()
	v.signedIn = caller.Session != nil
	return caller, err
}

// private is a page for one reader.
func (s *sheet) private(status int) web.Page {
	page := s.page(status)
	page.Private = true
	return page
}

// contact is where one writes to the support.
func (h *Help) contact(ctx context.Context, visit web.Visit, v *view) web.Page {
	caller, err := v.who(visit)
	switch {
	case err != nil:
		return web.Page{Fault: err}
	case visit.Form == nil && visit.Query.Get("said") == saidSent:
		return v.sent().private(http.StatusOK)
	case visit.Form == nil:
		return v.contact(caller, filled{}).private(http.StatusOK)
	case !takes(visit.Form, "name", "email", "subject", "text"):
		return v.refused(http.StatusUnprocessableEntity)
	}
	if wait := h.letters.spend(visit.Network, h.Now()); wait > 0 {
		return v.slow(wait)
	}
	opened, err := h.Tickets.Open(ctx, caller, ticket.Asked{
		Name: visit.Form.Get("name"), Email: visit.Form.Get("email"), Subject: visit.Form.Get("subject"), Text: visit.Form.Get("text"),
	})
	var refusal *problem.Problem
	switch {
	case errors.Is(err, account.ErrInvalid) && errors.As(err, &refusal):
		return v.contact(caller, filled{values: visit.Form, wrong: refusal.Fields, notice: v.locale.words.Contact.Mend}).private(refusal.Status)
	case errors.Is(err, ticket.ErrTooManyTickets) && errors.As(err, &refusal):
		page := v.contact(caller, filled{values: visit.Form, notice: v.locale.words.Contact.TooManyTickets}).private(refusal.Status)
		page.RetryAfter = refusal.RetryAfter
		return page
	case err != nil:
		return web.Page{Fault: err}
	case caller.Session != nil:
		return web.Page{See: ownAddress(opened.Reference, "opened")}
	case opened.ByMail:
		return web.Page{See: Prefix + contactPage + "?said=" + saidSent}
	}
	return v.opened(opened).private(http.StatusOK)
}

// ownAddress is where somebody who is signed in reads a ticket of theirs.
func ownAddress(reference, said string) string {
	query := url.Values{"reference": {reference}}
	if said != "" {
		query.Set("said", said)
	}
	return Prefix + ticketPage + "?" + query.Encode()
}

// contact is the form.
func (v *view) contact(caller web.Caller, f filled) *sheet {
	w := v.locale.words.Contact
	lead, fields := w.LeadNoMail, Group{
		v.field(f, "name", w.Name, MaxLength(number(account.MaxName)), AutoComplete("name")),
		v.field(f, "email", w.Email, Type("email"), AutoComplete("email")),
	}
	switch {
	case caller.Session != nil:
		lead = fill(w.As, "name", caller.Session.Name, "email", caller.Session.Email)
		fields = nil
	case v.help.mails():
		lead = w.LeadMail
	}
	return &sheet{view: v, title: w.Title, content: Div(Class("index letter"),
		v.crumbs(w.Title), H1(Text(w.Title)), P(Class("lead"), Text(w.Lead)), P(Text(lead)),
		complaint(f.notice),
		Form(Class("fields"), Method("post"), Action(Prefix+contactPage),
			fields,
			v.field(f, "subject", w.Subject, MaxLength(number(ticket.MaxSubject)), AutoComplete("off")),
			v.area(f, w.Text, 8),
			Button(Class("button primary"), Type("submit"), Text(w.Send)),
		),
		P(Class("muted"), Text(w.HaveOne+" "), A(Href(Prefix+ticketPage), Text(w.HaveOneWay))),
		v.chat(),
	)}
}

// sent says that a mail comes. It is the same for every address.
func (v *view) sent() *sheet {
	w := v.locale.words.Contact
	return &sheet{view: v, title: w.SentTitle, content: Div(Class("index letter"),
		v.crumbs(w.Title), H1(Text(w.SentTitle)), P(Class("lead"), Role("status"), Text(w.Sent)), P(Text(w.SentNot)),
		P(A(Class("button"), Href(Prefix+contactPage), Text(w.Again))),
	)}
}

// opened is shown once, where no mail leaves.
func (v *view) opened(of *ticket.Opened) *sheet {
	w := v.locale.words.Contact
	return &sheet{view: v, title: w.OpenedTitle, content: Div(Class("index letter"),
		v.crumbs(w.Title), H1(Text(w.OpenedTitle)), P(Class("lead"), Role("status"), Text(w.Opened)),
		Dl(Class("once panel"),
			Dt(Text(w.Reference)), Dd(Code(Text(of.Reference))),
			Dt(Text(w.Key)), Dd(Code(Text(of.Key))),
		),
		P(A(Href(Prefix+ticketPage+"#token="+of.Key+"&reference="+of.Reference), Text(w.OpenedLink))),
		Form(Method("post"), Action(Prefix+ticketPage), hidden("act", "read"), hidden("reference", of.Reference), hidden("key", of.Key),
			Button(Class("button primary"), Type("submit"), Text(w.OpenIt))),
	)}
}

// chat is the other way to people, where there is one.
func (v *view) chat() Node {
	return If(v.help.ChatURL != "", P(A(Class("button"), Href(v.help.ChatURL), Rel("noopener"), Text(v.locale.words.Chat))))
}

func hidden(name, value string) Node { return Input(Type("hidden"), Name(name), Value(value)) }

// complaint says what is wrong with a form as a whole.
func complaint(text string) Node {
	return If(text != "", Div(Class("note"), Role("alert"), P(Text(text))))
}

// wrongWith is what is wrong with a field, in words; empty where nothing is.
func (v *view) wrongWith(f filled, name string) string {
	for _, field := range f.wrong {
		if field.Name == name {
			most := ""
			if of, known := field.Params["max"].(int); known {
				most = strconv.Itoa(of)
			}
			return fill(v.locale.words.Contact.Fields[field.Code], "max", most)
		}
	}
	return ""
}

// described ties what is wrong, and a hint, to an input; the first one that is wrong takes the focus.
func described(f filled, name, wrong, hint string) Node {
	by := ""
	if wrong != "" {
		by = name + "-error "
	}
	if hint != "" {
		by += name + "-hint"
	}
	return Group{
		If(by != "", Aria("describedby", by)), If(wrong != "", Aria("invalid", "true")),
		If(wrong != "" && f.wrong[0].Name == name, AutoFocus()),
	}
}

func (v *view) field(f filled, name, label string, more ...Node) Node {
	wrong := v.wrongWith(f, name)
	return Div(Class("field"),
		Label(For(name), Text(label)),
		Input(Class("input"), ID(name), Name(name), Value(f.values.Get(name)), Required(), described(f, name, wrong, ""), Group(more)),
		If(wrong != "", P(Class("error"), ID(name+"-error"), Text(wrong))),
	)
}

func (v *view) area(f filled, label string, rows int) Node {
	wrong := v.wrongWith(f, "text")
	return Div(Class("field"),
		Label(For("text"), Text(label)),
		Textarea(Class("input"), ID("text"), Name("text"), Rows(number(rows)), MaxLength(number(ticket.MaxText)), Required(), Dir("auto"),
			described(f, "text", wrong, "hint"), Text(f.values.Get("text"))),
		If(wrong != "", P(Class("error"), ID("text-error"), Text(wrong))),
		P(Class("muted small"), ID("text-hint"), Text(v.locale.words.Contact.TextHint)),
	)
}
