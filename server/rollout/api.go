package rollout

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/mfa"
	"github.com/secondstep/secondstep/server/web"
)

// Asked is what is to be asked of whom.
type Asked struct {
	IDs         []string   `json:"ids,omitempty" minItems:"1" maxItems:"200" nullable:"false" doc:"Those who were chosen; without them, all who match the filter."`
	Filter      *Matching  `json:"filter,omitempty" doc:"As the list of users is filtered; with nothing in it, everybody."`
	Requirement string     `json:"requirement" enum:"off,allowed,required"`
	Deadline    *time.Time `json:"deadline,omitempty" doc:"With required: until when; without one it holds at once."`
	Reason      string     `json:"reason,omitempty" maxLength:"2000" doc:"Needed with off."`
	RollOut     *Announced `json:"roll_out,omitempty" doc:"Ask it of many, with a message: of nobody later than before, and of none to whom it is off. Needs required and a deadline to come."`
}

// Announced is what the people of a roll-out are told besides.
type Announced struct {
	Message []string `json:"message" maxItems:"40" nullable:"false" doc:"Paragraphs of plain text, at most 1,000 characters in all."`
}

// Matching is a filter of the list of users.
type Matching struct {
	Query      string             `json:"query,omitempty" maxLength:"200"`
	Protection account.Protection `json:"protection,omitempty" enum:"on,off,enrolling,required_not_yet,overdue,due,few_codes,locked,disabled,invited"`
	Role       string             `json:"role,omitempty" enum:"member,administrator"`
}

func (a *Asked) plan(caller web.Caller) (*plan, error) {
	if (a.IDs == nil) == (a.Filter == nil) {
		return nil, account.ErrInvalid.For(whoInvalid)
	}
	p := &plan{kind: kindRequirement, by: caller.Session.UserID, asks: mfa.Requirement{Level: a.Requirement, Reason: a.Reason}}
	if a.Deadline != nil {
		p.asks.Deadline = a.Deadline.Truncate(time.Millisecond)
	}
	if a.IDs != nil {
		p.ids = slices.Compact(slices.Sorted(slices.Values(a.IDs)))
	}
	if a.Filter != nil {
		p.match = account.Query{Text: a.Filter.Query, Protection: a.Filter.Protection, Role: a.Filter.Role}
	}
	if a.RollOut != nil {
		p.kind, p.message = kindRollOut, a.RollOut.Message
	}
	return p, nil
}

type lookInput struct{ Body Asked }

type startInput struct {
	Body struct {
		Asked
		Seen int `json:"seen" minimum:"0" doc:"How many people the look before has told: of more nothing is asked (409)."`
	}
}

// Outlook is what would become of whom.
type Outlook struct {
	People    int       `json:"people"`
	Changed   int       `json:"changed" doc:"Of whom something else is asked from now on."`
	Unchanged int       `json:"unchanged" doc:"Of whom as much is asked already."`
	LeftOut   []LeftOut `json:"left_out" nullable:"false"`
	Mailed    int       `json:"mailed" doc:"Who would be told by mail; 0 where no mail leaves."`
	Mail      bool      `json:"mail" doc:"Mail leaves the installation."`
	Subject   string    `json:"subject" doc:"Of a roll-out's mail."`
	Text      string    `json:"text" doc:"A roll-out's mail as it reads in plain text."`
}

type lookOutput struct{ Body Outlook }

type runPath struct {
	ID string `path:"roll_out" maxLength:"40"`
}

type runOutput struct{ Body RollOut }

type runsOutput struct {
	Body struct {
		RollOuts []RollOut `json:"roll_outs" nullable:"false"`
	}
}

const (
	askPath   = "/api/v1/users/requirement"
	runsPath  = "/api/v1/roll-outs"
	runIDPath = runsPath + "/{roll_out}"
)

// Register adds the calls of this room.
func (r *RollOuts) Register(api *web.API) {
	operation := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Roll-outs"}, DefaultStatus: status}
	}

	web.Register(api, web.Administrator, operation("look-at-requirement", http.MethodPost, askPath+"/look", "What would become of whom, if this were asked of them", http.StatusOK),
		func(ctx context.Context, caller web.Caller, in *lookInput) (*lookOutput, error) {
			outlook, err := r.outlook(ctx, caller, &in.Body)
			if err != nil {
				return nil, err
			}
			return &lookOutput{Body: *outlook}, nil
		})

	asking := operation("ask-of-many", http.MethodPost, askPath, "Ask something of many people", http.StatusAccepted)
	asking.Description = "It is done a few people at a time, by one instance, and goes on after a break; `GET /api/v1/roll-outs/{roll_out}` says how far it is."
	web.Register(api, web.FreshAdministrator, asking,
		func(ctx context.Context, caller web.Caller, in *startInput) (*runOutput, error) {
			p, err := in.Body.plan(caller)
			if err != nil {
				return nil, err
			}
			begun, err := r.start(ctx, caller, p, in.Body.Seen)
			if err != nil {
				return nil, err
			}
			return r.described(ctx, begun)
		})

	reminding := operation("remind-all", http.MethodPost, "/api/v1/protection/reminders", "Remind everybody whose deadline is near or has passed", http.StatusAccepted)
	reminding.Description = "By mail, each at the most once in 24 hours, whoever asks for it. Done as a roll-out is. 409 `no_mail_server` where no mail leaves."
	web.Register(api, web.FreshAdministrator, reminding,
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*runOutput, error) {
			begun, err := r.remindAll(ctx, caller)
			if err != nil {
				return nil, err
			}
			return r.described(ctx, begun)
		})

	one := operation("remind", http.MethodPost, "/api/v1/users/{id}/security/reminder", "Remind somebody that 2-step verification is required and not on", http.StatusNoContent)
	one.Description = "429 `reminded_lately` within 24 hours of the last time, whoever it was. 409 `nothing_to_remind`, 409 `no_mail_server`."
	web.Register(api, web.FreshAdministrator, one,
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*struct{}, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			return nil, r.remindOne(ctx, caller, id)
		})

	web.Register(api, web.Administrator, operation("list-roll-outs", http.MethodGet, runsPath, "What was asked of many people, the newest first", http.StatusOK),
		func(ctx context.Context, _ web.Caller, _ *struct{}) (*runsOutput, error) {
			list, err := r.list(ctx)
			if err != nil {
				return nil, err
			}
			out := &runsOutput{}
			out.Body.RollOuts = list
			return out, nil
		})

	web.Register(api, web.Administrator, operation("get-roll-out", http.MethodGet, runIDPath, "How far it is, and how many are protected since", http.StatusOK),
		func(ctx context.Context, _ web.Caller, in *runPath) (*runOutput, error) {
			found, err := byID(ctx, r.Database.Read(), in.ID)
			if err != nil {
				return nil, err
			}
			return r.described(ctx, found)
		})

	stopping := operation("stop-roll-out", http.MethodPost, runIDPath+"/stop", "Stop it before its end", http.StatusNoContent)
	stopping.Description = "Whoever it has come to keeps what they were asked."
	web.Register(api, web.FreshAdministrator, stopping,
		func(ctx context.Context, caller web.Caller, in *runPath) (*struct{}, error) {
			return nil, r.stop(ctx, caller, in.ID)
		})
}
