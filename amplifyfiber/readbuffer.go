package amplifyfiber

import (
	"github.com/gofiber/fiber/v3"
)

// ReadBufferSize is a [fiber.Config.ReadBufferSize], in bytes, with which all users are served. The
// whole header of a request must fit into that buffer, or Fiber answers it with 431. The cookies of
// a session have 4 to 6 KiB, and up to 13 KiB if its user has many groups or attributes; Fiber's
// default is 4 KiB.
//
// It is the most that Amazon CloudFront passes on ("Quotas", Maximum length of a request). Every
// open connection holds such a buffer.
const ReadBufferSize = 32 << 10

// smallReadBuffer is what is too small for the session of any user, in bytes.
const smallReadBuffer = 8 << 10

// checkReadBuffer warns if the requests of users do not reach their handlers.
func (s *ServerRunner) checkReadBuffer(c fiber.Ctx) {
	if size := c.App().Config().ReadBufferSize; size < smallReadBuffer {
		s.App().Logger().Warn("read buffer too small for the cookies of a session: signed-in users get status 431",
			"size", size, "hint", "set ReadBufferSize of fiber.Config to amplifyfiber.ReadBufferSize")
	}
}
