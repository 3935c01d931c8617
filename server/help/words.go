package help

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// words are the file words.json of a language: all that is on the pages and not in an article.
type words struct {
	Direction string   `json:"direction"` // ltr or rtl
	Months    []string `json:"months"`
	Date      string   `json:"date"`

	Help      string            `json:"help"`
	PageTitle string            `json:"page_title"`
	Lead      string            `json:"lead"`
	Audiences map[string]string `json:"audiences"`
	SignIn    string            `json:"sign_in"`
	Back      string            `json:"back"`
	Skip      string            `json:"skip"`
	Here      string            `json:"here"`

	Fix     string            `json:"fix"`
	FixBody string            `json:"fix_body"`
	FixWays map[string]string `json:"fix_ways"`

	Minutes   string `json:"minutes"`
	Updated   string `json:"updated"`
	OnThis    string `json:"on_this_page"`
	Previous  string `json:"previous"`
	Next      string `json:"next"`
	Neighbour string `json:"neighbours"`

	Search       string `json:"search"`
	SearchPress  string `json:"search_press"`
	ResultsFor   string `json:"results_for"`
	NoResults    string `json:"no_results"`
	NoResultsWay string `json:"no_results_way"`
	NoQuery      string `json:"no_query"`
	AllArticles  string `json:"all_articles"`

	Helpful      string `json:"helpful"`
	Yes          string `json:"yes"`
	No           string `json:"no"`
	ThanksYes    string `json:"thanks_yes"`
	ThanksNo     string `json:"thanks_no"`
	SentenceYes  string `json:"sentence_yes"`
	SentenceNo   string `json:"sentence_no"`
	SentenceHint string `json:"sentence_hint"`
	Send         string `json:"send"`
	ThanksTold   string `json:"thanks_told"`
	TooLong      string `json:"too_long"`
	NoCookies    string `json:"no_cookies"`
	AlreadyTold  string `json:"already_told"`

	NeedHand     string `json:"need_hand"`
	NeedHandBody string `json:"need_hand_body"`
	Chat         string `json:"chat"`

	Contact contactWords `json:"contact"`

	NotFound     string `json:"not_found"`
	NotFoundBody string `json:"not_found_body"`
	Slow         string `json:"slow"`
	SlowBody     string `json:"slow_body"`
	Refused      string `json:"refused"`
	RefusedBody  string `json:"refused_body"`
}

// readWords reads a file of words, or says what is wrong with it. What it lacks stays as it was before.
func readWords(content []byte, before *words) (*words, string) {
	w := &words{}
	if before != nil {
		copied := *before
		w = &copied
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(w); err != nil {
		return w, "it can't be read: " + err.Error()
	}
	if w.Direction != "ltr" && w.Direction != "rtl" {
		return w, "direction must be ltr or rtl"
	}
	if len(w.Months) != 12 {
		return w, "months must be the names of twelve months"
	}
	return w, ""
}

// day is a day as people write it.
func (w *words) day(at time.Time) string {
	return fill(w.Date, "day", strconv.Itoa(at.Day()), "month", w.Months[at.Month()-1], "year", strconv.Itoa(at.Year()))
}

// fill puts values in the place of their names in braces.
func fill(text string, pairs ...string) string {
	for n := 0; n+1 < len(pairs); n += 2 {
		pairs[n] = "{" + pairs[n] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func number(of int) string { return fmt.Sprint(of) }
