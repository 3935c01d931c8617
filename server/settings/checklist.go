package settings

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/recovery"
)

// RecoveryChecklist are the lines by which an administrator makes sure who asks to get back in; nil while nobody has changed
// them.
func (s *Settings) RecoveryChecklist(ctx context.Context) ([]string, error) {
	row, err := read(ctx, s.Database.Read())
	if err != nil {
		return nil, err
	}
	return row.checklist()
}

func (r *stored) checklist() ([]string, error) {
	if r.Checklist == "" {
		return nil, nil
	}
	var lines []string
	if err := json.Unmarshal([]byte(r.Checklist), &lines); err != nil {
		return nil, fmt.Errorf("read the checklist: %w", err)
	}
	return lines, nil
}

// settleChecklist makes what an administrator wrote into what is stored; no lines at all are the product's own again.
func settleChecklist(written []string) (stored string, wrong []problem.Field, err error) {
	lines, wrong := recovery.Checklist(written)
	if len(lines) == 0 || len(wrong) > 0 {
		return "", wrong, nil
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return "", nil, fmt.Errorf("store the checklist: %w", err)
	}
	return string(text), nil, nil
}
