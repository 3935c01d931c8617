package people

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

type inviteInput struct {
	Body struct {
		Name        string     `json:"name" maxLength:"400"`
		Email       string     `json:"email" maxLength:"254"`
		Role        string     `json:"role" enum:"member,administrator"`
		Requirement string     `json:"requirement,omitempty" enum:"off,allowed,required" doc:"Where it is left out: the installation's (GET /api/v1/settings, new_people)."`
		Deadline    *time.Time `json:"deadline,omitempty" doc:"With required: until when; without one it holds at once."`
		Reason      string     `json:"reason,omitempty" maxLength:"1200" doc:"Needed with off: why they may not have it, for the record."`
	}
}

// Invitation is somebody who was invited, with the link by which they join.
type Invitation struct {
	User      session.User `json:"user"`
	Link      *string      `json:"invitation_link" doc:"To hand over: shown this once; null where it was mailed."`
	ExpiresAt time.Time    `json:"expires_at"`
}

type invitationOutput struct{ Body Invitation }

func (i *invited) describe(api *web.API) *invitationOutput {
	answer := Invitation{
		User:      session.User{ID: i.user.ID, Name: i.user.Name, Email: i.user.Email, Role: i.user.Role},
		ExpiresAt: i.expires,
	}
	if !i.mailed {
		link := api.Link(JoinPage, i.token)
		answer.Link = &link
	}
	return &invitationOutput{Body: answer}
}

type changeInput struct {
	web.PersonPath
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"400"`
		Role     *string `json:"role,omitempty" enum:"member,administrator" doc:"Nobody changes their own. Another role signs the person out everywhere."`
		Disabled *bool   `json:"disabled,omitempty" doc:"Nobody disables themself. It signs the person out everywhere."`
	}
}

type invitationInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the link of the invitation."`
	}
}

// Invited is who an invitation is for.
type Invited struct {
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
}

type invitedOutput struct{ Body Invited }

type joinInput struct {
	Body struct {
		Token    string  `json:"token" maxLength:"100" doc:"From the link of the invitation."`
		Password string  `json:"password" maxLength:"4096"`
		Name     *string `json:"name,omitempty" maxLength:"400" doc:"In place of the one that the invitation gave."`
	}
}

// Joined is how far joining came.
type Joined struct {
	State string `json:"state" enum:"signed_in,enrolment_required"`
}

type joinedOutput struct {
	SetCookie []http.Cookie
	Body      Joined
}

const (
	usersPath      = "/api/v1/users"
	personPath     = usersPath + "/{id}"
	invitationPath = personPath + "/invitation"

	// JoinPage is where the link of an invitation leads.
	JoinPage = "/join"
)

// Register adds the calls of this room.
func (p *People) Register(api *web.API) {
	operation := func(id, method, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Users"}, DefaultStatus: status}
	}

	web.Register(api, web.FreshAdministrator, operation("invite-user", http.MethodPost, usersPath, "Invite a person", http.StatusCreated),
		func(ctx context.Context, caller web.Caller, in *inviteInput) (*invitationOutput, error) {
			person := account.New{
				Name: in.Body.Name, Email: in.Body.Email, Role: in.Body.Role, Requirement: in.Body.Requirement,
			}
			if in.Body.Deadline != nil {
				person.Deadline = database.At(*in.Body.Deadline)
			}
			made, err := p.invite(ctx, caller, person, in.Body.Reason)
			if err != nil {
				return nil, err
			}
			return made.describe(api), nil
		})

	changing := operation("change-user", http.MethodPatch, personPath, "Change my name, or somebody", http.StatusNoContent)
	changing.Description = "What is left out stays. 429 `too_many_changes` after 20 changes of one's own name within an hour. " +
		"409 `last_administrator` where no active administrator would be left."
	web.RegisterPerson(api, web.SignedIn, web.FreshAdministrator, changing,
		func(ctx context.Context, caller web.Caller, in *changeInput) (*struct{}, error) {
			return nil, p.change(ctx, caller, in.ID, change{name: in.Body.Name, role: in.Body.Role, disabled: in.Body.Disabled})
		})

	web.Register(api, web.FreshAdministrator, operation("remove-user", http.MethodDelete, personPath, "Remove a person", http.StatusNoContent),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*struct{}, error) {
			return nil, p.remove(ctx, caller, in.ID)
		})

	web.Register(api, web.FreshAdministrator, operation("renew-invitation", http.MethodPost, invitationPath, "Make a new link for somebody who has not joined; the one before is void", http.StatusCreated),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*invitationOutput, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			made, err := p.renew(ctx, caller, id)
			if err != nil {
				return nil, err
			}
			return made.describe(api), nil
		})

	web.Register(api, web.FreshAdministrator, operation("withdraw-invitation", http.MethodDelete, invitationPath, "Withdraw an invitation: whoever has not joined is removed", http.StatusNoContent),
		func(ctx context.Context, caller web.Caller, in *web.PersonPath) (*struct{}, error) {
			id, err := caller.Visible(in.ID)
			if err != nil {
				return nil, err
			}
			return nil, p.withdraw(ctx, caller, id)
		})

	p.registerImport(api, operation)
	p.registerJoining(api, operation)
}

type describe func(id, method, path, summary string, status int) huma.Operation

func (p *People) registerJoining(api *web.API, operation describe) {
	web.Register(api, web.Public, operation("get-invitation", http.MethodPost, "/api/v1/join/invitation", "Who an invitation is for", http.StatusOK),
		func(ctx context.Context, _ web.Caller, in *invitationInput) (*invitedOutput, error) {
			link, user, err := find(ctx, p.Database.Read(), in.Body.Token, p.Now())
			if err != nil {
				return nil, err
			}
			return &invitedOutput{Body: Invited{Name: user.Name, Email: user.Email, ExpiresAt: link.ExpiresAt.Time()}}, nil
		})

	web.Register(api, web.Public, operation("join", http.MethodPost, "/api/v1/join", "Join: choose a password, once", http.StatusOK),
		func(ctx context.Context, caller web.Caller, in *joinInput) (*joinedOutput, error) {
			cookies := []http.Cookie{}
			if caller.BrowserID == nil { // it is known again at the next sign-in
				known, err := session.NewToken(p.Random)
				if err != nil {
					return nil, err
				}
				hash := sha256.Sum256(known)
				caller.BrowserID = hash[:]
				cookies = append(cookies, api.BrowserCookie(known))
			}
			done, err := p.join(ctx, caller, in.Body.Token, in.Body.Password, in.Body.Name)
			if err != nil {
				return nil, err
			}
			return &joinedOutput{
				SetCookie: append(cookies, api.SessionCookie(done.token), api.ClearPending()),
				Body:      Joined{State: done.state},
			}, nil
		})
}
