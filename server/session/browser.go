package session

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// browserKept is how long a browser that nobody signs in with stays known.
const browserKept = 400 * 24 * time.Hour

var seeBrowser = database.Prepare("UPDATE known_browsers SET last_seen_at = ? WHERE user_id = ? AND browser_id = ?")

// NoteBrowser keeps that the person signs in with this browser, and reports whether that is news: it never was seen
// with them, and another one was. A first sign-in ever is no news.
func NoteBrowser(ctx context.Context, tx database.Tx, userID string, browserID []byte) (news bool, err error) {
	if browserID == nil {
		return false, nil
	}
	seen, err := database.Touched(seeBrowser.Exec(ctx, tx, int64(database.At(tx.Now)), userID, browserID))
	if err != nil {
		return false, fmt.Errorf("look for a browser: %w", err)
	}
	if seen == 1 {
		return false, nil
	}
	others, err := tx.NewSelect().Table("known_browsers").Where("user_id = ?", userID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for other browsers: %w", err)
	}
	_, err = tx.NewRaw("INSERT INTO known_browsers (user_id, browser_id, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		userID, browserID, database.At(tx.Now), database.At(tx.Now)).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("note a browser: %w", err)
	}
	return others, nil
}

// KnowsBrowser reports whether the person has signed in with this browser before.
func KnowsBrowser(ctx context.Context, db bun.IDB, userID string, browserID []byte) (bool, error) {
	known, err := db.NewSelect().Table("known_browsers").Where("user_id = ? AND browser_id = ?", userID, browserID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a browser: %w", err)
	}
	return known, nil
}

// KnewBrowser reports whether the person had signed in with this browser before that time.
func KnewBrowser(ctx context.Context, db bun.IDB, userID string, browserID []byte, at time.Time) (bool, error) {
	// An instance of before writes no first time while a new one is on its way in: then it is not known (migration 0028).
	knew, err := db.NewSelect().Table("known_browsers").
		Where("user_id = ? AND browser_id = ? AND first_seen_at > 0 AND first_seen_at < ?", userID, browserID, database.At(at)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look since when a browser is known: %w", err)
	}
	return knew, nil
}

// ForgetOtherBrowsers makes the person's browsers unknown but for the one to keep, or all where that is not told (nil): a
// sign-in with any other is news again.
func ForgetOtherBrowsers(ctx context.Context, tx database.Tx, userID string, keep []byte) error {
	others := tx.NewDelete().Table("known_browsers").Where("user_id = ?", userID)
	if keep != nil {
		others = others.Where("browser_id <> ?", keep)
	}
	if _, err := others.Exec(ctx); err != nil {
		return fmt.Errorf("forget browsers: %w", err)
	}
	return nil
}

func pruneBrowsers(ctx context.Context, tx database.Tx) error {
	old := database.At(tx.Now.Add(-browserKept))
	if _, err := tx.NewDelete().Table("known_browsers").Where("last_seen_at <= ?", old).Exec(ctx); err != nil {
		return fmt.Errorf("prune known browsers: %w", err)
	}
	return nil
}
