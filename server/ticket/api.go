package ticket

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type openTicketInput struct {
	Body struct {
		Name    string   `json:"name,omitempty" maxLength:"1000" doc:"Not of whoever is signed in."`
		Email   string   `json:"email,omitempty" maxLength:"1000" doc:"Not of whoever is signed in."`
		Subject string   `json:"subject" maxLength:"1000" doc:"At most 120 characters."`
		Lines   []string `json:"lines" maxItems:"500" nullable:"false" doc:"Lines of plain text, at most 4,000 characters in all."`
	}
}

// OpenedView is what whoever opened a ticket is told.
type OpenedView struct {
	Reference   string `json:"reference" doc:"Empty where the address is to be proved first."`
	Key         string `json:"key" doc:"Opens the ticket without signing in, and is told this once; empty for whoever is signed in, and where it is mailed."`
	ProofByMail bool   `json:"proof_by_mail" doc:"A link was mailed to the address, if it may have one. Nobody reads the ticket before it was used."`
}

type openTicketOutput struct{ Body OpenedView }

type ownTicketInput struct {
	Body struct {
		Reference string `json:"reference" maxLength:"100"`
		Key       string `json:"key,omitempty" maxLength:"100" doc:"Not needed for a ticket of whoever is signed in."`
	}
}

type ownTicketReplyInput struct {
	Body struct {
		Reference string   `json:"reference" maxLength:"100"`
		Key       string   `json:"key,omitempty" maxLength:"100" doc:"Not needed for a ticket of whoever is signed in."`
		Lines     []string `json:"lines" maxItems:"500" nullable:"false" doc:"Lines of plain text, at most 4,000 characters in all."`
	}
}

// OwnTicket is a ticket as whoever wrote it sees it.
type OwnTicket struct {
	Reference string        `json:"reference"`
	Kind      string        `json:"kind" enum:"help,recovery"`
	State     string        `json:"state" enum:"unproved,open,waiting,solved" doc:"unproved: waits for the word of whoever reads the mailbox that they wrote it; waiting: for whoever wrote it."`
	Name      string        `json:"name" doc:"Of whoever wrote it, as they gave it."`
	Subject   string        `json:"subject"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
	Messages  []MessageView `json:"messages" nullable:"false" doc:"Empty in a list."`
}

// MessageView is what one side wrote.
type MessageView struct {
	By    string    `json:"by" enum:"person,support"`
	Name  string    `json:"name" doc:"Of the administrator, to administrators alone; empty where they are gone."`
	At    time.Time `json:"at"`
	Lines []string  `json:"lines" nullable:"false" doc:"Plain text."`
}

type ownTicketOutput struct{ Body OwnTicket }

type ownTicketsOutput struct {
	Body struct {
		Tickets []OwnTicket `json:"tickets" nullable:"false"`
	}
}

type ticketsInput struct {
	State  string `query:"state" enum:"open,waiting,solved"`
	Kind   string `query:"kind" enum:"help,recovery"`
	Query  string `query:"query" maxLength:"200" doc:"Words of reference, name, address or subject."`
	Cursor string `query:"cursor" maxLength:"60" doc:"next_cursor of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
}

// ListedTicket is a ticket in the support's list.
type ListedTicket struct {
	ID            string    `json:"id"`
	Reference     string    `json:"reference"`
	Kind          string    `json:"kind" enum:"help,recovery"`
	State         string    `json:"state" enum:"open,waiting,solved" doc:"open: the support's turn."`
	Subject       string    `json:"subject"`
	Name          string    `json:"name"`
	Email         string    `json:"email"`
	UserID        string    `json:"user_id" doc:"Of the account, where whoever wrote it has one; else empty."`
	AddressProved bool      `json:"address_proved" doc:"They were signed in, or used a link from its mailbox."`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`

	Recovery *ListedRecovery `json:"recovery,omitempty" doc:"Of kind recovery, in a list."`
}

type ticketsOutput struct {
	Body struct {
		Tickets    []ListedTicket `json:"tickets" nullable:"false" doc:"What was written to last first."`
		NextCursor *string        `json:"next_cursor"`
		Open       int            `json:"open" doc:"How many wait for the support, whatever the filter; 1000: as many or more."`
	}
}

type ticketInput struct {
	ID string `path:"id" maxLength:"40"`
}

type ticketReplyInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Lines []string `json:"lines" maxItems:"500" nullable:"false" doc:"Lines of plain text, at most 4,000 characters in all."`
	}
}

// TicketView is a ticket as the support sees it.
type TicketView struct {
	ListedTicket
	Browser  string        `json:"browser" doc:"That it was written with."`
	Address  string        `json:"address" doc:"From where."`
	ToldBy   string        `json:"told_by" enum:"mail,signed_in,key,nothing" doc:"How whoever wrote it learns of an answer."`
	Messages []MessageView `json:"messages" nullable:"false"`
}

type ticketOutput struct{ Body TicketView }

type ticketToldOutput struct {
	Body struct {
		Mailed bool       `json:"mailed" doc:"A mail tells whoever wrote it."`
		Ticket TicketView `json:"ticket"`
	}
}

// Register adds the calls of this room. Those of whoever wrote a ticket come first, as "mine" is no id.
func (t *Tickets) Register(api *web.API) {
	t.registerOwn(api)
	t.registerSupport(api)
}

func operation(id, method, path, summary, description string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Tickets"}, DefaultStatus: http.StatusOK,
	}
}

func (t *Tickets) registerOwn(api *web.API) {
	web.Register(api, web.Visitor, operation("open-ticket", http.MethodPost, "/api/v1/tickets", "Write to the support",
		"The answer is the same for every address. 429 `too_many_tickets` for a network or an account that opens many."),
		func(ctx context.Context, caller web.Caller, in *openTicketInput) (*openTicketOutput, error) {
			opened, err := t.Open(ctx, caller, Asked{in.Body.Name, in.Body.Email, in.Body.Subject, strings.Join(in.Body.Lines, "\n")})
			if err != nil {
				return nil, err
			}
			view := OpenedView{Reference: opened.Reference, Key: opened.Key, ProofByMail: opened.ByMail && caller.Session == nil}
			return &openTicketOutput{view}, nil
		})
	web.Register(api, web.SignedIn, operation("list-own-tickets", http.MethodGet, "/api/v1/tickets/mine", "One's own tickets, the newest first", ""),
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*ownTicketsOutput, error) {
			mine, err := t.Mine(ctx, caller)
			if err != nil {
				return nil, err
			}
			out := &ownTicketsOutput{}
			out.Body.Tickets = make([]OwnTicket, len(mine))
			for n := range mine {
				out.Body.Tickets[n] = ownView(&Thread{Ticket: &mine[n]})
			}
			return out, nil
		})
	const none = "404 `no_ticket` for a wrong key as for a wrong reference."
	web.Register(api, web.Visitor, operation("read-own-ticket", http.MethodPost, "/api/v1/tickets/mine/read", "Read a ticket of one's own", "It changes nothing: what is `unproved` stays so. "+none),
		func(ctx context.Context, caller web.Caller, in *ownTicketInput) (*ownTicketOutput, error) {
			read, err := t.Read(ctx, caller, Own{in.Body.Reference, in.Body.Key})
			return ownAnswer(read, err)
		})
	web.Register(api, web.Visitor, operation("prove-own-ticket", http.MethodPost, "/api/v1/tickets/mine/prove", "Say that a ticket with one's address is one's own", "With the key from the mail: from then on the support sees it. "+none),
		func(ctx context.Context, caller web.Caller, in *ownTicketInput) (*ownTicketOutput, error) {
			read, err := t.Prove(ctx, caller, Own{in.Body.Reference, in.Body.Key})
			return ownAnswer(read, err)
		})
	discard := operation("discard-own-ticket", http.MethodPost, "/api/v1/tickets/mine/discard", "Say that somebody else has written a ticket with one's address",
		"With the key from the mail: it is deleted, and nobody has read it. 409 `ticket_proved` where the support has it already. "+none)
	discard.DefaultStatus = http.StatusNoContent
	web.Register(api, web.Visitor, discard, func(ctx context.Context, caller web.Caller, in *ownTicketInput) (*struct{}, error) {
		return nil, t.Discard(ctx, caller, Own{in.Body.Reference, in.Body.Key})
	})
	web.Register(api, web.Visitor, operation("reply-to-own-ticket", http.MethodPost, "/api/v1/tickets/mine/reply", "Write into a ticket of one's own", "A solved one is opened again. "+none),
		func(ctx context.Context, caller web.Caller, in *ownTicketReplyInput) (*ownTicketOutput, error) {
			read, err := t.Reply(ctx, caller, Own{in.Body.Reference, in.Body.Key}, strings.Join(in.Body.Lines, "\n"))
			return ownAnswer(read, err)
		})
	web.Register(api, web.Visitor, operation("solve-own-ticket", http.MethodPost, "/api/v1/tickets/mine/solve", "Say that a ticket of one's own is solved", none),
		func(ctx context.Context, caller web.Caller, in *ownTicketInput) (*ownTicketOutput, error) {
			read, err := t.Solve(ctx, caller, Own{in.Body.Reference, in.Body.Key})
			return ownAnswer(read, err)
		})
}

func (t *Tickets) registerSupport(api *web.API) {
	web.Register(api, web.Administrator, operation("list-tickets", http.MethodGet, "/api/v1/tickets", "Tickets that the support sees", ""),
		func(ctx context.Context, _ web.Caller, in *ticketsInput) (*ticketsOutput, error) {
			page, next, err := list(ctx, t.Database.Read(), Query{State: in.State, Kind: in.Kind, Text: in.Query, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			out := &ticketsOutput{}
			if out.Body.Open, err = waiting(ctx, t.Database.Read()); err != nil {
				return nil, err
			}
			out.Body.Tickets = make([]ListedTicket, len(page))
			for n := range page {
				out.Body.Tickets[n] = listed(&page[n])
			}
			if err := addRecoveries(ctx, t.Database.Read(), out.Body.Tickets); err != nil {
				return nil, err
			}
			if next != "" {
				out.Body.NextCursor = &next
			}
			return out, nil
		})
	web.Register(api, web.Administrator, operation("get-ticket", http.MethodGet, "/api/v1/tickets/{id}", "A ticket with what was written", ""),
		func(ctx context.Context, _ web.Caller, in *ticketInput) (*ticketOutput, error) {
			view, err := t.view(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &ticketOutput{*view}, nil
		})
	web.Register(api, web.ProtectedAdministrator, operation("answer-ticket", http.MethodPost, "/api/v1/tickets/{id}/reply", "Answer a ticket", ""),
		func(ctx context.Context, caller web.Caller, in *ticketReplyInput) (*ticketToldOutput, error) {
			mailed, err := t.answer(ctx, caller, in.ID, strings.Join(in.Body.Lines, "\n"))
			return t.after(ctx, in.ID, mailed, err)
		})
	web.Register(api, web.ProtectedAdministrator, operation("solve-ticket", http.MethodPost, "/api/v1/tickets/{id}/solve", "Mark a ticket as solved", "409 `recovery_ticket` for one that asks to get back in."),
		func(ctx context.Context, caller web.Caller, in *ticketInput) (*ticketToldOutput, error) {
			mailed, err := t.solve(ctx, caller, in.ID)
			return t.after(ctx, in.ID, mailed, err)
		})
	web.Register(api, web.ProtectedAdministrator, operation("reopen-ticket", http.MethodPost, "/api/v1/tickets/{id}/reopen", "Open a solved ticket again", "409 `recovery_ticket` for one that asks to get back in."),
		func(ctx context.Context, caller web.Caller, in *ticketInput) (*ticketToldOutput, error) {
			return t.after(ctx, in.ID, false, t.reopen(ctx, caller, in.ID))
		})
}

func ownAnswer(read *Thread, err error) (*ownTicketOutput, error) {
	if err != nil {
		return nil, err
	}
	return &ownTicketOutput{ownView(read)}, nil
}

func ownView(of *Thread) OwnTicket {
	view := OwnTicket{
		Reference: of.Reference, Kind: of.Kind, State: of.State, Name: of.Name, Subject: of.Subject,
		CreatedAt: of.CreatedAt.Time(), UpdatedAt: of.UpdatedAt.Time(), Messages: make([]MessageView, len(of.Messages)),
	}
	for n := range of.Messages {
		view.Messages[n] = messageView(&of.Messages[n])
	}
	return view
}

func messageView(of *Message) MessageView {
	return MessageView{By: of.Author, At: of.At.Time(), Lines: of.Lines()}
}

func listed(of *Ticket) ListedTicket {
	return ListedTicket{
		ID: of.ID, Reference: of.Reference, Kind: of.Kind, State: of.State, Subject: of.Subject, Name: of.Name, Email: of.Email,
		UserID: of.UserID, AddressProved: of.AddressProved, CreatedAt: of.CreatedAt.Time(), UpdatedAt: of.UpdatedAt.Time(),
	}
}

// after answers an act of the support with the ticket as it is then.
func (t *Tickets) after(ctx context.Context, id string, mailed bool, err error) (*ticketToldOutput, error) {
	if err != nil {
		return nil, err
	}
	view, err := t.view(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &ticketToldOutput{}
	out.Body.Mailed, out.Body.Ticket = mailed, *view
	return out, nil
}

func (t *Tickets) view(ctx context.Context, id string) (*TicketView, error) {
	found, err := seen(ctx, t.Database.Read(), id)
	if err != nil {
		return nil, err
	}
	read, err := thread(ctx, t.Database.Read(), found)
	if err != nil {
		return nil, err
	}
	view := &TicketView{
		ListedTicket: listed(found), Browser: found.Browser, Address: found.Address, ToldBy: t.told(found), Messages: make([]MessageView, len(read.Messages)),
	}
	support := map[string]string{}
	for n := range read.Messages {
		if of := &read.Messages[n]; of.Author == Support {
			support[of.AuthorID] = ""
		}
	}
	ids := make([]string, 0, len(support))
	for id := range support {
		ids = append(ids, id)
	}
	if support, err = t.Names(ctx, ids); err != nil {
		return nil, err
	}
	for n := range read.Messages {
		of := &read.Messages[n]
		view.Messages[n] = messageView(of)
		if of.Author == Support {
			view.Messages[n].Name = support[of.AuthorID]
		}
	}
	return view, nil
}
