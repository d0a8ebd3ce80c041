package host

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readiness tells whether webhooks are taken.
type readiness struct{ on atomic.Bool }

func (r *readiness) set(on bool) { r.on.Store(on) }

// routes puts every address of the host on one router. Addresses are taken as they are: a redirect of a
// webhook would count as a failure on its platform.
func (h *Host) routes(rest http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.RedirectTrailingSlash = false
	r.RedirectFixedPath = false
	r.UseRawPath, r.UnescapePathValues = true, true
	r.Use(gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, cause any) {
		h.config.Logger.Error("a request met a bug", "path", c.Request.URL.Path, "panic", fmt.Sprint(cause))
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	if h.intake != nil {
		r.Any("/webhooks/shopify", gin.WrapF(h.intake.ServeShopify))
		r.Any("/webhooks/woocommerce/:shop", func(c *gin.Context) {
			h.intake.ServeWooCommerce(c.Writer, c.Request, c.Param("shop"))
		})
	}
	r.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "alive\n") })
	r.GET("/readyz", func(c *gin.Context) {
		if !h.ready.on.Load() {
			c.Header("Retry-After", "1")
			c.String(http.StatusServiceUnavailable, "starting or stopping\n")
			return
		}
		c.String(http.StatusOK, "ready\n")
	})
	r.GET("/metrics", gin.WrapH(h.metrics()))
	r.Any("/api/v1/*path", gin.WrapH(rest))
	return r
}

// metrics shows what the host counts, in Prometheus's form.
func (h *Host) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), intakeMetrics{h})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// intakeMetrics shows the intake's counts and backlog.
type intakeMetrics struct{ host *Host }

var _ prometheus.Collector = intakeMetrics{}

func deliveries() *prometheus.Desc {
	return prometheus.NewDesc("shophand_deliveries_total", "Webhook requests by their answer.", []string{"platform", "answer"}, nil)
}

func backlog() *prometheus.Desc {
	return prometheus.NewDesc("shophand_intake_backlog_bytes", "Deliveries on disk that are not processed yet.", nil, nil)
}

// Describe implements prometheus.Collector.
func (m intakeMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- deliveries()
	ch <- backlog()
}

// Collect implements prometheus.Collector.
func (m intakeMetrics) Collect(ch chan<- prometheus.Metric) {
	if m.host.intake == nil {
		return
	}
	for platform, c := range m.host.intake.Counts() {
		for answer, n := range map[string]uint64{
			"accepted": c.Accepted, "ping": c.Ping, "unauthorized": c.Unauthorized, "unknown_shop": c.UnknownShop,
			"too_large": c.TooLarge, "incomplete": c.Incomplete, "overloaded": c.Overloaded,
		} {
			ch <- prometheus.MustNewConstMetric(deliveries(), prometheus.CounterValue, float64(n), platform, answer)
		}
	}
	var bytes int64
	for _, b := range m.host.log.Shops() {
		bytes += b.Bytes
	}
	ch <- prometheus.MustNewConstMetric(backlog(), prometheus.GaugeValue, float64(bytes))
}
