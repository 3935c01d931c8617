package settings

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
)

// NotePublicURL keeps where browsers reach the server that starts now, for commands beside it: they make links too.
func (s *Settings) NotePublicURL(ctx context.Context, url string) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if _, err := tx.NewRaw("UPDATE installation SET public_url = ? WHERE id = 1 AND public_url <> ?", url, url).Exec(ctx); err != nil {
			return fmt.Errorf("note the public URL: %w", err)
		}
		return nil
	})
}

// PublicURL is where the server that ran last was reached; empty where none ever ran.
func (s *Settings) PublicURL(ctx context.Context) (string, error) {
	var url string
	err := s.Database.Read().NewRaw("SELECT public_url FROM installation WHERE id = 1").Scan(ctx, &url)
	if err != nil {
		return "", fmt.Errorf("read the public URL: %w", err)
	}
	return url, nil
}
