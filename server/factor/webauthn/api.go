package webauthn

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/web"
)

type registrationOutput struct{ Body Registration }

type addInput struct {
	web.PersonPath
	Registration string `path:"registration" maxLength:"40"`
	Body         struct {
		Name       string      `json:"name" maxLength:"60" doc:"What the person calls the key; may be empty."`
		Credential web.Foreign `json:"credential" doc:"What the browser answered to the options, as toJSON of its PublicKeyCredential gives it."`
	}
}

// Added is a security key in force.
type Added struct {
	ID         string      `json:"id"`
	Kind       factor.Kind `json:"kind" enum:"webauthn"`
	Name       string      `json:"name"`
	Label      string      `json:"label" doc:"Empty: a security key shows no entry."`
	AddedAt    time.Time   `json:"added_at"`
	LastUsedAt *time.Time  `json:"last_used_at"`
}

type addedOutput struct {
	SetCookie []http.Cookie
	Body      Added
}

// Register adds the calls by which a person adds a security key. They are there where security keys are off too, and
// then say so: the document of the calls is the same for every installation.
func (f *Factor) Register(api *web.API, changed factor.Changed) {
	const path = "/api/v1/users/{id}/security/security-keys"
	begin := huma.Operation{
		OperationID: "begin-security-key", Method: http.MethodPost, Path: path,
		Summary: "Begin to add a security key", Tags: []string{"Security"}, DefaultStatus: http.StatusCreated,
		Description: "409 `security_keys_off` where the installation has none, as with every call about them; 409 `mfa_off` where 2-step verification is not on.",
	}
	web.RegisterOwn(api, web.FreshByApp, begin,
		func(ctx context.Context, caller web.Caller, _ *web.PersonPath) (*registrationOutput, error) {
			started, err := f.begin(ctx, caller)
			if err != nil {
				return nil, err
			}
			return &registrationOutput{Body: *started}, nil
		})
	add := huma.Operation{
		OperationID: "add-security-key", Method: http.MethodPost, Path: path + "/{registration}",
		Summary: "Add the security key", Tags: []string{"Security"}, DefaultStatus: http.StatusCreated,
		Description: "Good once, for five minutes, in the session that began it, whose fresh proof it carries. Ends the person's other sessions.",
	}
	web.RegisterOwn(api, web.SignedIn, add,
		func(ctx context.Context, caller web.Caller, in *addInput) (*addedOutput, error) {
			name := strings.TrimSpace(in.Body.Name)
			if fields := account.CheckLegible(name); len(fields) > 0 {
				return nil, account.ErrInvalid.For(fields...)
			}
			added, token, err := f.finish(ctx, caller, in.Registration, name, in.Body.Credential, changed)
			if err != nil {
				return nil, err
			}
			return &addedOutput{
				SetCookie: []http.Cookie{api.SessionCookie(token)},
				Body:      Added{ID: added.ID, Kind: Kind, Name: added.Name, AddedAt: added.AddedAt.Time()},
			}, nil
		})
}
