package email

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type emailInput struct {
	web.PersonPath
	Body struct {
		Email string `json:"email" maxLength:"254" doc:"The address that the person is to have."`
	}
}

// EmailAsked is a change that waits for its proof.
type EmailAsked struct {
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it can be proved."`
	Link      *string   `json:"email_link" doc:"To hand over to the person, this once; null where it was mailed to the new address."`
}

type askedOutput struct{ Body EmailAsked }

type emailProofInput struct {
	web.PersonPath
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the fragment of the link."`
	}
}

// EmailConfirmed is an address that is in force now.
type EmailConfirmed struct {
	Email         string `json:"email"`
	SessionsEnded int    `json:"sessions_ended" doc:"How many other sessions were open, and no longer are."`
}

type confirmedOutput struct {
	SetCookie []http.Cookie
	Body      EmailConfirmed
}

// Register adds the calls of this room.
func (e *Emails) Register(api *web.API) {
	const path = "/api/v1/users/{id}/email"
	operation := func(id, method, path, summary, description string, status int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: summary, Description: description,
			Tags: []string{"Users"}, DefaultStatus: status,
		}
	}
	web.RegisterPerson(api, web.FreshByApp, web.FreshAdministrator, operation("ask-email-change", http.MethodPost, path,
		"Ask for another address: mine, or somebody's",
		"The address changes when the link that is mailed to it is opened and confirmed by the person, signed in, within 24 hours. Asked again, "+
			"the link of before is void. An address that somebody has is answered alike, but to administrators, who get 409 `email_taken`. "+
			"429 `too_many_changes` after five within an hour; 409 `no_mail_server` for one's own where no mail leaves.", http.StatusOK),
		func(ctx context.Context, caller web.Caller, in *emailInput) (*askedOutput, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			made, err := e.ask(ctx, caller, id, in.Body.Email)
			if err != nil {
				return nil, err
			}
			answer := EmailAsked{Email: made.email, ExpiresAt: made.expires}
			if made.token != nil {
				link := api.Link(Page, made.token)
				answer.Link = &link
			}
			return &askedOutput{Body: answer}, nil
		})

	web.RegisterPerson(api, web.SignedIn, web.FreshAdministrator, operation("withdraw-email-change", http.MethodDelete, path,
		"Withdraw a change of address that waits", "404 `no_email_change` where none does.", http.StatusNoContent),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*struct{}, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			return nil, e.withdraw(ctx, caller, id)
		})

	web.RegisterOwn(api, web.SignedIn, operation("confirm-email", http.MethodPost, path+"/confirm",
		"Confirm my new address",
		"Ends every other session. 410 `email_link_expired` for a link that is not this person's, was used, withdrawn or replaced, or is too old; "+
			"409 `email_taken` where somebody has got the address meanwhile.", http.StatusOK),
		func(ctx context.Context, caller web.Caller, in *emailProofInput) (*confirmedOutput, error) {
			email, token, ended, err := e.confirm(ctx, caller, in.Body.Token)
			if err != nil {
				return nil, err
			}
			return &confirmedOutput{
				SetCookie: []http.Cookie{api.SessionCookie(token)},
				Body:      EmailConfirmed{Email: email, SessionsEnded: ended},
			}, nil
		})
}
