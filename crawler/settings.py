"""Scrapy's settings for every crawl of the house: polite, bounded, verified, archived.

What the operator chooses (database, archive, contact, proxy, limits) comes from the configuration; the rest is here,
each with its reason where it differs from Scrapy's own.
"""

from __future__ import annotations

import os
import sys

import config
from crawler.house import on_loopback

try:
    _house = config.load_settings()
except config.ConfigError as e:  # `scrapy list` and the like show one sentence too
    sys.exit(f"circularwatch: {e}")

BOT_NAME = "circularwatch"
SPIDER_LOADER_CLASS = "crawler.loader.CircularwatchSpiderLoader"
SPIDER_MODULES = ["crawler.spiders"]
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TWISTED_DNS_RESOLVER = "crawler.bounds.PublicResolver"
ADDONS: dict[str, int] = {}

# ---------------------------------------------------------------- the house's own
CIRCULARWATCH_DB = str(_house.database)
CIRCULARWATCH_ARCHIVE = str(_house.archive)
CIRCULARWATCH_CONFIG = os.environ.get("CIRCULARWATCH_CONFIG")
CIRCULARWATCH_CONTACT = _house.contact or ""
CIRCULARWATCH_PROXY = _house.proxy or ""
CIRCULARWATCH_IMITATION = on_loopback(CIRCULARWATCH_PROXY)
CIRCULARWATCH_CA_FILE = str(_house.ca_file or "")
# seconds between requests to one host, over every source's own; None = each source's own
CIRCULARWATCH_DELAY = _house.delay_s
# a host that asks for a longer pause is left alone for this run
CIRCULARWATCH_PATIENCE = 120.0
CIRCULARWATCH_MANAGED = False
CIRCULARWATCH_PROGRESS = False
CIRCULARWATCH_TRIGGER = "manual"
CIRCULARWATCH_PLANNED_AT = ""
CIRCULARWATCH_SINCE = ""

# ---------------------------------------------------------------- manners
USER_AGENT = _house.user_agent
# robots.txt is obeyed by crawler.robots; Scrapy's own middleware leaks while robots.txt loads
ROBOTSTXT_OBEY = False
CONCURRENT_REQUESTS = 16
# callbacks yield requests and no items; Scrapy would make a hundred tasks per answer to wait for items
CONCURRENT_ITEMS = 1
# one at a time per host is the lease's business (across processes); this only keeps the queue in Scrapy's hands
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 0
DOWNLOAD_DELAY_JITTER = 0
AUTOTHROTTLE_ENABLED = False
COOKIES_ENABLED = False
RETRY_TIMES = 2

# ---------------------------------------------------------------- bounds
DOWNLOAD_TIMEOUT = float(_house.limits.timeout_s)
DOWNLOAD_MAXSIZE = int(_house.limits.max_body_bytes)
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = False
DOWNLOAD_VERIFY_CERTIFICATES = True
REDIRECT_ENABLED = True
REDIRECT_MAX_TIMES = int(_house.limits.max_redirects)
METAREFRESH_ENABLED = False
HTTPPROXY_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
# documents in the order of their list, newest first
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
# the archive says which entries are still wanted; a filter of addresses would drop a redirect to a known page unseen
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"

# ---------------------------------------------------------------- parts
DOWNLOAD_HANDLERS = {
    "http": "crawler.handler.HouseDownloadHandler",
    "https": "crawler.handler.HouseDownloadHandler",
    "ftp": None,
    "file": None,
    "data": None,
    "s3": None,
}
DOWNLOADER_MIDDLEWARES = {
    "crawler.robots.RobotsMiddleware": 50,
    "crawler.retry.RetryMiddleware": 550,
    "crawler.retry.HouseRedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": None,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": None,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
}
SPIDER_MIDDLEWARES = {
    # errors never reach a callback (the handler turns them into ExchangeFailed), and 304 must
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
EXTENSIONS = {
    "crawler.extension.CrawlExtension": 0,
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.feedexport.FeedExporter": None,
    "scrapy.extensions.throttle.AutoThrottle": None,
}

LOG_LEVEL = str(_house.log_level).upper()
# bodies are taken apart by the processor; Scrapy's line per page would be most of the log
LOG_FORMATTER = "crawler.progress.QuietFormatter"
