package main

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, frameworktest.Handler(newApp)) }

func BenchmarkMe(b *testing.B) {
	frameworktest.Benchmark(b, frameworktest.Handler(newApp), frameworktest.Handler(newBare))
}

// newBare returns an application with nothing but /me, which answers without the library.
func newBare(*amplifyhttp.ServerRunner, bool) (http.Handler, error) {
	somebody := identity{"alice", "6f8b1c2a-1111-4222-8333-000000000000"}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery())
	engine.GET("/me", func(c *gin.Context) { c.JSON(http.StatusOK, somebody) })
	return engine, nil
}
