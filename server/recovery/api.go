package recovery

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type askRecoveryInput struct {
	Body struct {
		NoBackupCodes  bool `json:"no_backup_codes" doc:"The person has no backup code left to give."`
		NoOtherBrowser bool `json:"no_other_browser" doc:"No browser in which they are still signed in gets them further: there is none, or they have no code for a new app."`
		// Line by line, since no text that is sent has a line break in it.
		Message []string `json:"message,omitempty" maxItems:"100" doc:"To the support: lines of plain text, of at most 1,000 characters in all."`
	}
}

type recoveryProofInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the fragment of the mailed link."`
	}
}

type recoveryConfirmInput struct {
	web.PersonPath
	Body struct {
		Password string `json:"password" maxLength:"4096"`
	}
}

type viewOutput struct{ Body RecoveryView }

// PendingRecovery is what somebody whose password was right is told.
type PendingRecovery struct {
	Recovery *RecoveryView `json:"recovery" doc:"The open request, else the last one that ended within 7 days; null without one."`
	Askable  bool          `json:"askable" doc:"The person can ask for a way back in."`
	Refusal  string        `json:"refusal,omitempty" doc:"Why they can't: the code with which asking would be refused."`
	Delay    int           `json:"delay_seconds" doc:"How long a request waits from its proof until it can be decided, as things stand."`
}

type pendingOutput struct{ Body PendingRecovery }

// OwnRecovery is what a browser is told in which the person is signed in.
type OwnRecovery struct {
	Recovery *OwnView `json:"recovery" doc:"The open request; null without one."`
}

type ownOutput struct{ Body OwnRecovery }

// TicketPath names a ticket.
type TicketPath struct {
	ID string `path:"id" maxLength:"40" doc:"A ticket's id."`
}

type decisionInput struct {
	TicketPath
	Body struct {
		Approve bool     `json:"approve"`
		Checked []string `json:"checked" nullable:"false" maxItems:"12" doc:"The lines of the checklist that were ticked; to approve, one at the least."`
		Reason  string   `json:"reason" maxLength:"1200" doc:"Why, for the record."`
	}
}

// RecoveryDecision is where a request is after it.
type RecoveryDecision struct {
	State           string  `json:"state" enum:"proved,approved,refused"`
	Approvals       int     `json:"approvals"`
	ApprovalsNeeded int     `json:"approvals_needed"`
	EnrolmentLink   *string `json:"enrolment_link" doc:"To hand over to the person, this once; null where it was mailed to them, or there is none."`
	Mailed          bool    `json:"mailed"`
}

type decisionOutput struct{ Body RecoveryDecision }

type factsOutput struct{ Body RecoveryFacts }

const (
	pendingPath = "/api/v1/sign-in/recovery"
	ownPath     = "/api/v1/users/{id}/security/recovery"
	ticketPath  = "/api/v1/tickets/{id}"
)

func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Recovery"}, DefaultStatus: http.StatusOK}
}

// Register adds the calls of this room.
func (r *Recoveries) Register(api *web.API) {
	r.registerPending(api)
	r.registerOwn(api)
	r.registerDecisions(api)
}

// registerPending adds the calls of whoever asks.
func (r *Recoveries) registerPending(api *web.API) {
	web.Register(api, web.Pending, operation("get-recovery", http.MethodGet, pendingPath, "My request to get back in"),
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*pendingOutput, error) {
			told, err := r.pending(ctx, caller)
			if err != nil {
				return nil, err
			}
			return &pendingOutput{Body: *told}, nil
		})

	ask := operation("ask-recovery", http.MethodPost, pendingPath, "Ask for a way back in, having lost every factor")
	ask.Description = "One at a time: asked again, it answers the one that is open. A link that proves the address is mailed to the person, and apart from it one that stops this. " +
		"422 `recovery_questions` unless both questions are answered; 409 `recovery_on_console` for an administrator whom nobody else can let in; 429 `recovery_too_often` after three within 24 hours, unless there is a new password since."
	web.Register(api, web.Pending, ask,
		func(ctx context.Context, caller web.Caller, in *askRecoveryInput) (*viewOutput, error) {
			if !in.Body.NoBackupCodes || !in.Body.NoOtherBrowser {
				return nil, ErrQuestions
			}
			return answer(r.ask(ctx, caller, in.Body.Message))
		})

	prove := operation("prove-recovery", http.MethodPost, pendingPath+"/proof", "Prove the address, by the mailed link")
	prove.Description = "After the password, of the person whose request it is. The waiting period begins. 410 `recovery_link_expired` for any link that is not good."
	web.Register(api, web.Pending, prove,
		func(ctx context.Context, caller web.Caller, in *recoveryProofInput) (*viewOutput, error) {
			return answer(r.prove(ctx, caller, in.Body.Token))
		})

	withdraw := operation("withdraw-recovery", http.MethodDelete, pendingPath, "Take my request back")
	withdraw.DefaultStatus = http.StatusNoContent
	withdraw.Description = "In the browser that asked: 403 `recovery_elsewhere` in another. 404 `no_recovery` where none is open."
	web.Register(api, web.Pending, withdraw,
		func(ctx context.Context, caller web.Caller, _ *struct{}) (*struct{}, error) {
			return nil, r.withdraw(ctx, caller)
		})
}

func answer(shown *RecoveryView, err error) (*viewOutput, error) {
	if err != nil {
		return nil, err
	}
	return &viewOutput{Body: *shown}, nil
}

// registerOwn adds the calls of browsers in which the person is signed in.
func (r *Recoveries) registerOwn(api *web.API) {
	show := operation("get-own-recovery", http.MethodGet, ownPath, "Who asked for a way back into my account, and from where")
	web.RegisterPerson(api, web.Enrolling, web.Administrator, show,
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*ownOutput, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			shown, err := r.own(ctx, caller, id)
			if err != nil {
				return nil, err
			}
			return &ownOutput{Body: OwnRecovery{Recovery: shown}}, nil
		})

	stop := operation("stop-recovery", http.MethodPost, ownPath+"/stop", "Stop it: it wasn't me")
	stop.DefaultStatus = http.StatusNoContent
	stop.Description = "Takes no fresh proof, since it only takes away. 404 `no_recovery` where none is open; 403 `not_permitted` in the session that the request itself has led to."
	web.RegisterOwn(api, web.Enrolling, stop,
		func(ctx context.Context, caller web.Caller, _ *web.PersonPath) (*struct{}, error) {
			return nil, r.stopHere(ctx, caller)
		})

	confirm := operation("confirm-recovery", http.MethodPost, ownPath+"/confirm", "It was me: stand in for the proof of the address")
	confirm.Description = "In a session that a second step has opened; 403 `recovery_not_confirmable` in any other. 409 `recovery_changed` unless the request waits for its proof."
	web.RegisterOwn(api, web.SignedIn, confirm,
		func(ctx context.Context, caller web.Caller, in *recoveryConfirmInput) (*ownOutput, error) {
			shown, err := r.confirm(ctx, caller, in.Body.Password)
			if err != nil {
				return nil, err
			}
			return &ownOutput{Body: OwnRecovery{Recovery: shown}}, nil
		})
}

// registerDecisions adds the calls of administrators.
func (r *Recoveries) registerDecisions(api *web.API) {
	web.Register(api, web.Administrator, operation("get-ticket-recovery", http.MethodGet, ticketPath+"/recovery", "What is known of a request to get back in"),
		func(ctx context.Context, caller web.Caller, in *TicketPath) (*factsOutput, error) {
			facts, err := r.facts(ctx, caller, in.ID)
			if err != nil {
				return nil, err
			}
			return &factsOutput{Body: *facts}, nil
		})

	describe := func(done *decided, err error) (*decisionOutput, error) {
		if err != nil {
			return nil, err
		}
		out := &decisionOutput{Body: RecoveryDecision{State: done.state, Approvals: done.approvals, ApprovalsNeeded: done.needed, Mailed: done.mailed}}
		if done.token != "" {
			link := api.EnrolmentLink(done.token)
			out.Body.EnrolmentLink = &link
		}
		return out, nil
	}
	decide := operation("decide-recovery", http.MethodPost, ticketPath+"/decision", "Approve or refuse a request to get back in")
	decide.Description = "An approval removes nothing: with the last that is needed an enrolment link goes to the person. 400 `recovery_evidence` without a reason, or to approve without a ticked line; " +
		"403 `own_recovery`; 409 `recovery_too_early` before its time, which only a refusal need not wait for, `already_decided`, `recovery_changed` where it does not wait for a decision, " +
		"and `recovery_on_console` for an administrator whom nobody else can let in, or to whom no link can be mailed."
	web.Register(api, web.FreshAdministrator, decide,
		func(ctx context.Context, caller web.Caller, in *decisionInput) (*decisionOutput, error) {
			return describe(r.decide(ctx, caller, in.ID, verdict{approve: in.Body.Approve, checked: in.Body.Checked, reason: in.Body.Reason}))
		})

	renew := operation("renew-recovery-link", http.MethodPost, ticketPath+"/link", "A new enrolment link for an approved request")
	renew.Description = "The one of before is void, and so is what it has opened. 409 `recovery_changed` unless it is approved."
	web.Register(api, web.FreshAdministrator, renew,
		func(ctx context.Context, caller web.Caller, in *TicketPath) (*decisionOutput, error) {
			return describe(r.renew(ctx, caller, in.ID))
		})
}
