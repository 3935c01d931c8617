package stop

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/web"
)

type stopInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the fragment of the link."`
	}
}

// Stoppable is what a link can stop.
type Stoppable struct {
	Kind      string    `json:"kind" enum:"email,reset,recovery" doc:"email: the account has another address; reset: its 2-step verification was reset; recovery: somebody asks for a way back in."`
	Email     string    `json:"email" doc:"The address that the link was mailed to; with email, the one to put back."`
	ExpiresAt time.Time `json:"expires_at"`
}

type stoppableOutput struct{ Body Stoppable }

// Stopped is what was stopped.
type Stopped struct {
	Kind     string `json:"kind" enum:"email,reset,recovery"`
	Restored bool   `json:"restored" doc:"With email: the address of before is back. False where somebody else has got it meanwhile."`
}

type stoppedOutput struct{ Body Stopped }

// Register adds the calls of this room.
func (s *Stops) Register(api *web.API, now func() time.Time) {
	operation := func(id, path, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Description: description, Tags: []string{"Stop this"},
		}
	}
	const gone = "410 `stop_link_expired` where it was used, is too old, or there is nothing left to stop."
	web.Register(api, web.Public, operation("get-stop", "/api/v1/stop/link", "What a link of “Stop this” stops", "It changes nothing. "+gone),
		func(ctx context.Context, _ web.Caller, in *stopInput) (*stoppableOutput, error) {
			found, err := find(ctx, s.Database.Read(), in.Body.Token, now())
			if err != nil {
				return nil, err
			}
			return &stoppableOutput{Body: Stoppable{Kind: found.Kind, Email: found.Email, ExpiresAt: found.ExpiresAt.Time()}}, nil
		})
	web.Register(api, web.Public, operation("stop", "/api/v1/stop", "Stop this, once",
		"Puts the address of before back, ends every session and sign-in of the person, and voids their links; of a request for a way back in, it ends that alone. "+gone),
		func(ctx context.Context, caller web.Caller, in *stopInput) (*stoppedOutput, error) {
			done, err := s.press(ctx, caller, in.Body.Token)
			if err != nil {
				return nil, err
			}
			return &stoppedOutput{Body: Stopped{Kind: done.kind, Restored: done.restored}}, nil
		})
}
