package forgotten

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

// ChoosePage is where the link of a mail leads.
const ChoosePage = "/new-password"

const forgottenPath = "/api/v1/forgotten-password"

type forgottenInput struct {
	Body struct {
		Email string `json:"email" maxLength:"1000"`
	}
}

type passwordLinkInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the fragment of the link."`
	}
}

// Chooser is whose password a link is for.
type Chooser struct {
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
}

type chooserOutput struct{ Body Chooser }

type choosePasswordInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"100" doc:"From the fragment of the link."`
		Password string `json:"password" maxLength:"4096" doc:"The new one."`
	}
}

// Register adds the calls of this room.
func (f *Forgotten) Register(api *web.API) {
	operation := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: forgottenPath + path, Summary: summary, Tags: []string{"Sign in"}}
	}

	asking := operation("forgot-password", "", "Ask for a link to choose a new password")
	asking.DefaultStatus = http.StatusNoContent
	asking.Description = "The answer is the same whether the account exists or not; where it does, a mail with a link comes, good once and for an hour. " +
		"429 `too_many_asks` after 5 for an address, until none came for an hour, 409 `no_mail_server` where no mail leaves."
	web.Register(api, web.Public, asking,
		func(ctx context.Context, caller web.Caller, in *forgottenInput) (*struct{}, error) {
			return nil, f.ask(ctx, caller, in.Body.Email)
		})

	web.Register(api, web.Public, operation("get-password-link", "/link", "Whose password a link is for"),
		func(ctx context.Context, _ web.Caller, in *passwordLinkInput) (*chooserOutput, error) {
			link, user, err := find(ctx, f.Database.Read(), in.Body.Token, f.Now())
			if err != nil {
				return nil, err
			}
			return &chooserOutput{Body: Chooser{Name: user.Name, Email: user.Email, ExpiresAt: link.ExpiresAt.Time()}}, nil
		})

	choosing := operation("choose-password", "/password", "Choose a new password by a link, once")
	choosing.DefaultStatus = http.StatusNoContent
	choosing.Description = "Ends every session of the person and signs nobody in: a second step is asked for as before. 410 for a link that is good no more, with the reason as its code."
	web.Register(api, web.Public, choosing,
		func(ctx context.Context, caller web.Caller, in *choosePasswordInput) (*struct{}, error) {
			return nil, f.choose(ctx, caller, in.Body.Token, in.Body.Password)
		})
}
