package help

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

const (
	// longestSentence is in characters.
	longestSentence = 500
	// keptFor is how long a vote counts, and its sentence is kept: the cookie that it was given with ends by then.
	keptFor = 400 * 24 * time.Hour
	// weeks is how far back the votes are told week by week.
	weeks = 12
	week  = 7 * 24 * time.Hour
)

// row is a vote.
type row struct {
	bun.BaseModel `bun:"table:help_votes"`

	ID       string           `bun:"id,pk"`
	Article  string           `bun:"article"`
	Locale   string           `bun:"locale"`
	Visitor  []byte           `bun:"visitor"`
	Helpful  bool             `bun:"helpful"`
	At       database.Instant `bun:"at"`
	Sentence string           `bun:"sentence,nullzero"`
	DoneAt   database.Instant `bun:"done_at,nullzero"`
}

// visitorOf is what is kept of a visitor's token: something else for each article.
func visitorOf(token []byte, article *article) []byte {
	sum := sha256.Sum256(append(token[:len(token):len(token)], "\x00"+article.Slug...))
	return sum[:]
}

// vote counts a vote; another one of the same visitor takes its place.
func (h *Help) vote(ctx context.Context, article *article, token []byte, helpful bool) error {
	return h.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		cast := &row{
			ID: tx.NewID(), Article: article.Slug, Locale: article.Locale, Visitor: visitorOf(token, article),
			Helpful: helpful, At: database.At(tx.Now),
		}
		_, err := tx.NewInsert().Model(cast).On("CONFLICT (article, visitor) DO UPDATE").
			Set("helpful = EXCLUDED.helpful").Set("locale = EXCLUDED.locale").Set("at = EXCLUDED.at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("count a vote: %w", err)
		}
		return nil
	})
}

// tell adds a sentence to a visitor's vote, once, and answers what is said about it.
func (h *Help) tell(ctx context.Context, article *article, token []byte, sentence string) (said string, err error) {
	err = h.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		said = saidTold
		visitor := visitorOf(token, article)
		touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).Set("sentence = ?", sentence).
			Where("article = ? AND visitor = ? AND sentence IS NULL", article.Slug, visitor).Exec(ctx))
		if err != nil || touched == 1 {
			return wrapped("keep a sentence", err)
		}
		voted, err := tx.NewSelect().Model((*row)(nil)).Where("article = ? AND visitor = ?", article.Slug, visitor).Exists(ctx)
		if said = saidNoCookies; voted {
			said = saidAlready
		}
		return wrapped("look for a vote", err)
	})
	return said, err
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Prune deletes votes whose time is over.
func Prune(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*row)(nil)).Where("at <= ?", database.At(tx.Now.Add(-keptFor))).Exec(ctx)
	return wrapped("delete old votes", err)
}

// Tally is what readers answered about an article.
type Tally struct {
	Article string `json:"article" doc:"The article's name, the last part of its address."`
	Title   string `json:"title" doc:"The same as the name where there is no such article any more."`
	Yes     int    `json:"yes"`
	No      int    `json:"no"`
	Open    int    `json:"open" doc:"Sentences that nobody has marked as done."`
	Weeks   []Week `json:"weeks" nullable:"false" doc:"The last 12 weeks, this one last."`
}

// Week is the same within a week, which begins on a Monday (UTC).
type Week struct {
	Begins string `json:"begins" format:"date"`
	Yes    int    `json:"yes"`
	No     int    `json:"no"`
}

// tallies are what readers answered, an article each, in the order of the articles.
func (h *Help) tallies(ctx context.Context, db bun.IDB, now time.Time) ([]Tally, error) {
	// 1970 began on a Thursday: three days before, a week did.
	monday := func(at time.Time) time.Time {
		day := at.UTC().Truncate(24 * time.Hour)
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	}
	first := monday(now).AddDate(0, 0, -7*(weeks-1))
	var counted []struct {
		Article string `bun:"article"`
		Helpful bool   `bun:"helpful"`
		Week    int64  `bun:"week"` // 0: before all that are told
		Count   int    `bun:"count"`
		Open    int    `bun:"open"`
	}
	const number = "CASE WHEN at < ? THEN 0 ELSE 1 + (at - ?) / ? END"
	begins := database.At(first)
	err := db.NewSelect().TableExpr("help_votes").ColumnExpr("article, helpful").
		ColumnExpr(number+" AS week", begins, begins, int64(week/time.Millisecond)).
		ColumnExpr("COUNT(*) AS count, SUM(CASE WHEN sentence IS NOT NULL AND done_at IS NULL THEN 1 ELSE 0 END) AS open").
		GroupExpr("article, helpful, "+number, begins, begins, int64(week/time.Millisecond)).Scan(ctx, &counted)
	if err != nil {
		return nil, fmt.Errorf("count votes: %w", err)
	}
	tallies, at := []Tally{}, map[string]int{}
	add := func(slug, title string) int {
		if n, ok := at[slug]; ok {
			return n
		}
		one := Tally{Article: slug, Title: title, Weeks: make([]Week, weeks)}
		for n := range one.Weeks {
			one.Weeks[n].Begins = first.AddDate(0, 0, 7*n).Format(time.DateOnly)
		}
		tallies = append(tallies, one)
		at[slug] = len(tallies) - 1
		return at[slug]
	}
	for _, article := range h.library().locales[0].sorted {
		add(article.Slug, article.Title)
	}
	for _, one := range counted {
		of := &tallies[add(one.Article, one.Article)]
		of.Open += one.Open
		into := &Week{}
		if one.Week > 0 && one.Week <= weeks {
			into = &of.Weeks[one.Week-1]
		}
		if one.Helpful {
			of.Yes, into.Yes = of.Yes+one.Count, into.Yes+one.Count
		} else {
			of.No, into.No = of.No+one.Count, into.No+one.Count
		}
	}
	return tallies, nil
}

// Sentence is what a reader wrote about an article.
type Sentence struct {
	ID       string     `json:"id"`
	Article  string     `json:"article"`
	Title    string     `json:"title"`
	Locale   string     `json:"locale" doc:"The language of the article that was read."`
	Helpful  bool       `json:"helpful"`
	Sentence string     `json:"sentence"`
	At       time.Time  `json:"at"`
	DoneAt   *time.Time `json:"done_at"`
}

// sentences are a page of them, the newest first; after is the id of the last one before.
func (h *Help) sentences(ctx context.Context, db bun.IDB, article string, done bool, after string, limit int) (list []Sentence, more bool, err error) {
	rows := []row{}
	query := db.NewSelect().Model(&rows).Where("sentence IS NOT NULL")
	if done {
		query = query.Where("done_at IS NOT NULL")
	} else {
		query = query.Where("done_at IS NULL")
	}
	if article != "" {
		query = query.Where("article = ?", article)
	}
	if after != "" {
		query = query.Where("id < ?", after)
	}
	if err := query.OrderExpr("id DESC").Limit(int64(limit) + 1).Scan(ctx); err != nil {
		return nil, false, fmt.Errorf("list sentences: %w", err)
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	list = make([]Sentence, len(rows))
	for n, one := range rows {
		list[n] = Sentence{
			ID: one.ID, Article: one.Article, Title: one.Article, Locale: one.Locale, Helpful: one.Helpful,
			Sentence: one.Sentence, At: one.At.Time(),
		}
		if known := h.library().locales[0].bySlug[one.Article]; known != nil {
			list[n].Title = known.Title
		}
		if !one.DoneAt.IsZero() {
			at := one.DoneAt.Time()
			list[n].DoneAt = &at
		}
	}
	return list, more, nil
}

// mark notes that a sentence was dealt with, or that it was not. What is so already stays as it is.
func (h *Help) mark(ctx context.Context, id string, done bool) error {
	return h.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		update := tx.NewUpdate().Model((*row)(nil)).Where("id = ? AND sentence IS NOT NULL", id)
		if done {
			update = update.Set("done_at = COALESCE(done_at, ?)", database.At(tx.Now))
		} else {
			update = update.Set("done_at = NULL")
		}
		touched, err := database.Touched(update.Exec(ctx))
		if err == nil && touched == 0 {
			return ErrNoSentence
		}
		return wrapped("mark a sentence", err)
	})
}
