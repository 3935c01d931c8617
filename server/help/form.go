package help

import (
	"context"
	"io"
	"net/http"
	"strings"

	. "maragu.dev/gomponents"      //nolint:staticcheck // markup reads as markup
	. "maragu.dev/gomponents/html" //nolint:staticcheck // as above

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/web"
)

// answers are what a page may say after a form; it stands in its address, so that the page is the same for all.
var answers = map[string]bool{saidYes: true, saidNo: true, saidTold: true, saidLong: true, saidNoCookies: true, saidAlready: true}

const (
	saidYes       = "yes"
	saidNo        = "no"
	saidTold      = "told"
	saidLong      = "long"
	saidNoCookies = "no-cookies"
	saidAlready   = "already"
)

// visitorSize is the length of a visitor's token in bytes.
const visitorSize = 32

// form takes what a form sent: a vote, or the sentence that goes with one.
func (h *Help) form(ctx context.Context, visit web.Visit, v *view, parts []string) web.Page {
	if len(parts) != 2 || v.locale.bySlug[parts[0]] == nil {
		return v.notFound()
	}
	if wait := h.forms.spend(visit.Network, h.Now()); wait > 0 {
		return v.slow(wait)
	}
	article := v.locale.bySlug[parts[0]]
	switch parts[1] {
	case "vote":
		return h.takeVote(ctx, visit, v, article)
	case "sentence":
		return h.takeSentence(ctx, visit, article)
	}
	return v.notFound()
}

func (h *Help) takeVote(ctx context.Context, visit web.Visit, v *view, article *article) web.Page {
	said := visit.Form.Get("helpful")
	if said != saidYes && said != saidNo {
		return v.refused(http.StatusUnprocessableEntity)
	}
	page := web.Page{See: told(article, said)}
	token := visit.Visitor
	if token == nil {
		token = make([]byte, visitorSize)
		if _, err := io.ReadFull(h.Random, token); err != nil {
			return web.Page{Fault: err}
		}
		page.Cookies = append(page.Cookies, h.api.VisitorCookie(Prefix, token))
	}
	if err := h.vote(ctx, article, token, said == saidYes); err != nil {
		return web.Page{Fault: err}
	}
	return page
}

func (h *Help) takeSentence(ctx context.Context, visit web.Visit, article *article) web.Page {
	// One line: where the lines of it were broken says nothing.
	sentence := strings.Join(strings.Fields(visit.Form.Get("sentence")), " ")
	switch {
	case sentence == "" || len(account.CheckLegible(sentence)) > 0: // nothing that turns text around stands before an administrator
		return web.Page{See: Prefix + "/" + article.Slug}
	case len([]rune(sentence)) > longestSentence:
		return web.Page{See: told(article, saidLong)}
	case visit.Visitor == nil:
		return web.Page{See: told(article, saidNoCookies)}
	}
	said, err := h.tell(ctx, article, visit.Visitor, sentence)
	if err != nil {
		return web.Page{Fault: err}
	}
	return web.Page{See: told(article, said)}
}

// told is where the answer to a form stands.
func told(article *article, said string) string {
	return Prefix + "/" + article.Slug + "?said=" + said + "#helpful"
}

// vote is the question below an article, and what follows an answer.
func (v *view) vote(a *article, said string) Node {
	w := v.locale.words
	ask := Form(Method("post"), Action(Prefix+"/"+a.Slug+"/vote"),
		Button(Class("button"), Type("submit"), Name("helpful"), Value(saidYes), Text(w.Yes)),
		Button(Class("button"), Type("submit"), Name("helpful"), Value(saidNo), Text(w.No)),
	)
	inside := ask
	switch said {
	case saidYes, saidNo:
		thanks, question := w.ThanksYes, w.SentenceYes
		if said == saidNo {
			thanks, question = w.ThanksNo, w.SentenceNo
		}
		inside = Group{thank(thanks), v.sentence(a, question)}
	case saidLong:
		inside = Group{thank(w.TooLong), v.sentence(a, w.SentenceYes)}
	case saidTold:
		inside = thank(w.ThanksTold)
	case saidAlready:
		inside = thank(w.AlreadyTold)
	case saidNoCookies:
		inside = Group{thank(w.NoCookies), ask}
	}
	return Section(Class("vote"), ID("helpful"), Aria("labelledby", "helpful-question"), H2(ID("helpful-question"), Text(w.Helpful)), inside)
}

func thank(text string) Node { return P(Class("thanks"), Role("status"), Text(text)) }

func (v *view) sentence(a *article, question string) Node {
	w := v.locale.words
	return Form(Class("sentence"), Method("post"), Action(Prefix+"/"+a.Slug+"/sentence"),
		Label(For("sentence"), Text(question)),
		Textarea(Class("input"), ID("sentence"), Name("sentence"), Rows("3"), MaxLength(number(longestSentence)), Aria("describedby", "sentence-hint")),
		P(Class("muted small"), ID("sentence-hint"), Text(w.SentenceHint)),
		Button(Class("button"), Type("submit"), Text(w.Send)),
	)
}
