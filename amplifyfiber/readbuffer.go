package amplifyfiber

import (
	"github.com/gofiber/fiber/v3"

	"github.com/amplify-go/amplify/cookie"
)

// ReadBufferSize is a [fiber.Config.ReadBufferSize] with which all users are served, in bytes. The
// whole header of a request must fit into that buffer, or Fiber answers with status 431 itself. The
// default, 4 KiB, is too small: the cookies of a session have 4 to 6 KiB, and up to 13 KiB if its
// user has many groups or attributes.
//
// With this size, users who send more cookies than this library reads, 64 KiB, get a page that lets
// them delete the cookies. Each open connection holds such a buffer, unless
// [fiber.Config.ReduceMemoryUsage] is set. A server with many idle connections may choose less.
const ReadBufferSize = cookie.MaxHeaderSize + 16<<10

// smallReadBuffer is what is too small for the session of any user, in bytes.
const smallReadBuffer = 8 << 10

// checkReadBuffer warns if the requests of users do not reach their handlers.
func (s *ServerRunner) checkReadBuffer(c fiber.Ctx) {
	if size := c.App().Config().ReadBufferSize; size < smallReadBuffer {
		s.App().Logger().Warn(
			"read buffer too small for the cookies of a session: signed-in users get status 431",
			"size", size,
			"hint", "set ReadBufferSize of fiber.Config to amplifyfiber.ReadBufferSize")
	}
}
