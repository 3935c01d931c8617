package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/web"
)

// TestUndeclaredAccessFailsTheStart is the other half of row 2 of security.md: beside the product's own operations, one
// that does not say who may call it keeps the server from starting, and so does one that goes around web.Register.
func TestUndeclaredAccessFailsTheStart(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	cheap := hashing.Params{Memory: 8, Time: 1, Threads: 1}
	opened, err := Open(t.Context(), Config{
		Data: t.TempDir(), Brand: "MailMachine", PasswordCost: cheap, BackupCodeCost: cheap,
		Now: time.Now, Random: rand.Reader, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	start := func(add func(*web.API)) error {
		api, err := web.New(web.Options{
			PublicURL: &url.URL{Scheme: "http", Host: "localhost"}, Now: time.Now, Random: rand.Reader, Logger: logger,
		})
		if err != nil {
			t.Fatal(err)
		}
		opened.register(api)
		add(api)
		return api.Start(callers{opened.sessions, opened.SignIn})
	}
	handler := func(context.Context, web.Caller, *struct{}) (*struct{}, error) { return nil, nil }
	operation := huma.Operation{OperationID: "secret", Method: http.MethodGet, Path: "/api/v1/secret"}

	if err := start(func(*web.API) {}); err != nil {
		t.Fatalf("as it is: %v", err)
	}
	if err := start(func(api *web.API) { web.Register(api, web.SignedIn, operation, handler) }); err != nil {
		t.Fatalf("declared: %v", err)
	}
	err = start(func(api *web.API) { web.Register(api, web.Access{}, operation, handler) })
	if err == nil || !strings.Contains(err.Error(), "GET /api/v1/secret has no access") {
		t.Errorf("without access: %v", err)
	}
	err = start(func(api *web.API) { api.Handler().Get("/api/v1/secret", func(*fiber.Ctx) error { return nil }) })
	if err == nil || !strings.Contains(err.Error(), "/api/v1/secret") {
		t.Errorf("around web.Register: %v", err)
	}
}
