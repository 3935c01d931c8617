package web_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/web"
)

// What the face costs around a handler, against bare Fiber, without a network:
// go test -bench . ./server/web
func BenchmarkSessionCheck(b *testing.B) {
	run := func(b *testing.B, app *fiber.App) {
		app.Handler() // builds the routes
		serve := app.Server().Handler
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			var fctx fasthttp.RequestCtx
			fctx.Request.Header.SetMethod("GET")
			fctx.Request.SetRequestURI("/api/v1/session")
			fctx.Request.Header.SetHost("127.0.0.1:8080")
			fctx.Request.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
			fctx.Request.Header.Set("Cookie", "secondstep_session="+cookieOf("member")+"; secondstep_browser="+cookieOf("browser"))
			for pb.Next() {
				serve(&fctx)
				if fctx.Response.StatusCode() != 200 {
					b.Errorf("got %s", fctx.Response.Body())
				}
				fctx.Response.Reset()
				fctx.Request.ResetUserValues()
			}
		})
	}
	b.Run("ours", func(b *testing.B) {
		o := options(&logBook{})
		o.Logger = slog.New(slog.NewJSONHandler(&logBook{}, nil)) // info, as in production
		api, err := web.New(o)
		if err != nil {
			b.Fatal(err)
		}
		answer := text("hello")
		web.Register(api, web.SignedIn, op("GET", "/api/v1/session"), func(context.Context, web.Caller, *empty) (*textOutput, error) {
			return answer, nil
		})
		if err := api.Start(crowd()); err != nil {
			b.Fatal(err)
		}
		run(b, api.Handler())
	})
	b.Run("bare", func(b *testing.B) {
		app := fiber.New()
		app.Get("/api/v1/session", func(c *fiber.Ctx) error {
			c.Set("Content-Type", "application/json")
			return c.SendString(`{"text":"hello"}`)
		})
		run(b, app)
	})
}
