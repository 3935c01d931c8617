package seal

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// ErrLogAltered refuses to sign a log that is not what was signed before.
var ErrLogAltered = problem.New(http.StatusConflict, "audit_log_altered", "The audit log was altered behind the server's back, so no checkpoint of it is made. Run secondstep audit verify on the server: it says where.")

// SavedCheckpoint is a signed head of the audit log, to be kept elsewhere.
type SavedCheckpoint struct {
	Events     int64  `json:"events" doc:"How many events it is about."`
	Root       string `json:"root" doc:"The hash over all of them, in Base64."`
	Checkpoint string `json:"checkpoint" doc:"The file to keep, for secondstep audit verify --checkpoint: a note signed with ed25519."`
}

type checkpointOutput struct{ Body SavedCheckpoint }

// Register adds the call of this room.
func (s *Seals) Register(api *web.API) {
	web.Register(api, web.Administrator, huma.Operation{
		OperationID: "audit-checkpoint", Method: http.MethodGet, Path: "/api/v1/audit/checkpoint",
		Summary: "A signed checkpoint of the audit log", Tags: []string{"Audit log"},
		Description: "Whoever keeps it elsewhere can show later that nothing before it was changed or removed. 409 `audit_log_altered` where something was.",
	}, func(ctx context.Context, _ web.Caller, _ *struct{}) (*checkpointOutput, error) {
		saved, err := s.Checkpoint(ctx)
		var altered *ErrAltered
		if errors.As(err, &altered) {
			return nil, ErrLogAltered.Because(err)
		}
		if err != nil {
			return nil, err
		}
		return &checkpointOutput{Body: *saved}, nil
	})
}

// Checkpoint signs the log as it is.
func (s *Seals) Checkpoint(ctx context.Context) (*SavedCheckpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	signers, err := s.signers()
	if err != nil {
		return nil, err
	}
	tree, err := s.tree(ctx, signers)
	if err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(tree.size, tree)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: string(text(tree.size, root))}, signers[0])
	if err != nil {
		return nil, err
	}
	return &SavedCheckpoint{Events: tree.size, Root: root.String(), Checkpoint: string(signed)}, nil
}
