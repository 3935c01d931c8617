package settings

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type output struct{ Body *InstallationSettings }

type changeInput struct{ Body SettingsChange }

type keepInput struct {
	Body struct {
		Key uint32 `json:"key" doc:"Which one, as in GET /api/v1/settings."`
	}
}

type testInput struct {
	Body struct {
		Address string `json:"address" maxLength:"254"`
	}
}

type testOutput struct{ Body *Tested }

const path = "/api/v1/settings"

// Register adds the calls of this room.
func (s *Settings) Register(api *web.API) {
	operation := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Installation"}, DefaultStatus: http.StatusOK}
	}
	answer := func(ctx context.Context, err error) (*output, error) {
		if err != nil {
			return nil, err
		}
		view, err := s.view(ctx)
		return &output{Body: view}, err
	}

	web.Register(api, web.Administrator, operation("get-settings", http.MethodGet, path, "What is set for the installation"),
		func(ctx context.Context, _ web.Caller, _ *struct{}) (*output, error) { return answer(ctx, nil) })

	web.Register(api, web.FreshAdministrator, operation("change-settings", http.MethodPatch, path, "Set it otherwise; what is left out stays"),
		func(ctx context.Context, caller web.Caller, in *changeInput) (*output, error) {
			return answer(ctx, s.change(ctx, caller, in.Body))
		})

	web.Register(api, web.FreshAdministrator, operation("keep-key", http.MethodPost, path+"/key-kept-elsewhere", "Note that a copy of the key ring is kept elsewhere"),
		func(ctx context.Context, caller web.Caller, in *keepInput) (*output, error) {
			return answer(ctx, s.keep(ctx, caller, in.Body.Key))
		})

	web.Register(api, web.FreshAdministrator, operation("test-mail", http.MethodPost, "/api/v1/mail/test", "Send a test mail, and hear what the mail server says"),
		func(ctx context.Context, caller web.Caller, in *testInput) (*testOutput, error) {
			tested, err := s.testMail(ctx, caller, in.Body.Address)
			return &testOutput{Body: tested}, err
		})
}
