package protection

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

type output struct{ Body *Figures }

// Register adds the call of this room.
func Register(api *web.API, db *database.Database, now func() time.Time) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "get-protection", Method: http.MethodGet, Path: "/api/v1/protection",
		Summary: "How many are protected, and who needs a hand", Tags: []string{"Users"},
	}, func(ctx context.Context, _ web.Caller, _ *struct{}) (*output, error) {
		figures, err := Read(ctx, db.Read(), now())
		return &output{Body: figures}, err
	})
}
