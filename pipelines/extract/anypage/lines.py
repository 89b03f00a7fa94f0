"""Knows the lines that stand around texts on any site: credits, editors, rights, sharing, other articles, comments.

Each pattern is a manner of speaking that thousands of sites share. They speak of whole short lines; where in the page a line
must stand to be taken for furniture is `body`'s business.
"""

from __future__ import annotations

import re
from functools import lru_cache

# what a line is: nothing special, credit of the head, editor, rights, button or promotion, start of other things
PLAIN, CREDIT, EDITOR, RIGHTS, BUTTON, OTHER, ORIGINAL = "", "credit", "editor", "rights", "button", "other", "original"

_OPEN = r"^[\s\[【(（〖《<>|｜·•■●◆▲△\-—*※#]*"
_NAME = r"[一-鿿A-Za-z·_.\d]{2,12}"
_DATE = r"(?:(?:19|20)?\d{2}\s?[-/.年]\s?)?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?(?:[T\s　]{0,3}\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"

_EDITOR = re.compile(
    _OPEN
    + r"(?:(?:本文|文章|稿件|新闻)?来源\s*[:：].{1,40}?\s*)?(?:纠错\s*[】\]]?\s*)?[【\[（(]?\s*(?:(?:本文|本期|本条|网络|网站|值班|实习|文字|美术|视觉|图片|新媒体|微信|见习|执行|责任|内容|栏目|页面)?(?:责任)?编\s?辑|责\s?编|编\s?审|终\s?审|初\s?审|一\s?审|二\s?审|三\s?审|复\s?审"
    r"|审\s?核|审\s?签|审\s?读|校\s?对|校\s?审|监\s?制|统\s?筹|排\s?版|制\s?图|值班(?:主任|主编|编委|总编)|主\s?编|总\s?编|策\s?划|出\s?品|录\s?入(?:员|人)?|发布(?:人|者|员)|供\s?稿(?:人|单位)?|撰\s?稿(?:人)?|投稿(?:人|单位)?|通\s?讯\s?员|作\s?者单位"
    r"|采\s?写|拍\s?摄|摄\s?影|剪\s?辑|海\s?报|设\s?计|文案|图文|文/图|文／图|图/文|运营|责\s?校|流程编辑|签\s?发|信息员|联系人电话)\s*(?:[:：/／丨|｜]|\s(?="
    + _NAME
    + r"\s*[)）】\]]?$)).{0,80}$"
    r"|"
    + _OPEN
    + r"(?:[Ww]eb |[Cc]opy |[Nn]ews |[Mm]anaging |[Ss]ub-?)?(?:[Ee]dit(?:or|ed|ors|ing))(?: by)?\s*[:：]\s*.{2,60}$"
)
_DESK = re.compile(_OPEN + r"[一-鿿]{2,8}编辑\s*[:：|｜丨/／]\s*[一-鿿·]{2,4}(?:[\s、，][一-鿿·]{2,4}){0,3}\s*$")
_ROLE = r"(?:责任编辑|责编|编\s?辑|校\s?对|审\s?核|编审|终审|监制|摄影|记者|主编|统筹)"
_EDITORS = re.compile(_OPEN + rf"(?:{_ROLE}\s?[:：/／丨|]?\s*[一-鿿·]{{2,4}}[\s　,，;；|]*){{2,6}}[\s)）】\]]*$")
# several of those who made it in one line, whatever stands first: 某科供稿 摄影/某 编辑/某
_CREW = re.compile(r"(?:摄影|编辑|撰稿|供稿|撰文|校对|审核|初审|复审|终审|责编|监制|制图|排版|美编)\s*[/／:：|｜丨]")
_LAST_EDITOR = re.compile(r"责\s?任\s?编\s?辑|责\s?编\s*[:：/／丨|｜]|^[\s(（\[【]*编\s?辑\s*[:：]")
_RIGHTS = re.compile(
    _OPEN
    + r"(?:本文|以上|特别|重要|郑重|法律|网站|相关|风险|转载|侵权|内容|免责|作者|版权|平台|投资|温馨)?\s?(?:版权(?:声明|说明|所有|归|信息)|版\s*权\s*所\s*有|免责(?:声明|条款|说明)|(?:郑重|法律|侵权|转载|作者|风险|原创|平台|本站|本网站?|网站|投资)(?:声明|提示|提醒|说明|警示)|特别声明|(?:特别|重要|友情|温馨)(?:声明|提示|提醒|说明|警示)(?=[\s:：）)】\]]*(?:$|.{0,60}(?:本文|此文|文中|本站|本网|本平台|转载|版权|侵权|内容|文章|图片|观点|投资|账号|公众号))))(?:\s*[:：）)】\]].{0,600})?$"
    r"|" + _OPEN + r"[一-鿿A-Za-z·]{2,14}声明\s*[:：].{0,90}(?:凡本|版权|转载|授权|据此|不构成|不代表|立场).{0,500}$"
    r"|"
    + _OPEN
    + r"(?:声明|风险提示|注)\s*[:：].{0,20}(?:本文|此文|该文|文中|本站|本网|转载|版权|内容|文章|图片|观点|投资).{0,500}$"
    r"|"
    + _OPEN
    + r"(?:凡(?:本网|注明|本站|来源|标注|在本)|凡.{0,30}(?:注明|转载).{0,40}(?:来源|出处|稿件|作品)|未经.{0,24}(?:授权|许可|同意|允许)|本(?:网站?|站|文|平台|内容|号|公司|页面).{0,30}(?:仅(?:供|代表|为)|不(?:代表|构成|承担|保证)|转载(?:自|于|请)|版权|力求|来源于(?:网络|互联网)|系转载|整理自网络|如有侵权|如涉及|图片来自)"
    r"|(?:以上|上述|文中|部分)(?:内容|图片|文字|观点|信息|言论|图文).{0,40}(?:来自|来源于?|不代表|仅代表|仅供|侵权|不构成|为自媒体|由.{0,16}上传)|图片?(?:均)?(?:来自|来源于?|源自?)[^。]{0,12}网络"
    r"|[^。]{0,60}(?:不得转载|禁止转载|谢绝转载|转载请(?:注明|联系|标明|保留)|转载须|权益归|版权归|如有侵权|若有侵权|侵权(?:请|必删|即删|联系)|侵删|文责自负|仅代表作者(?:本人|个人)?(?:观点|立场)?|不代表本(?:站|网|平台|报|公众号).{0,10}(?:观点|立场)"
    r"|投资有风险|理财有风险|市场有风险|据此(?:操作|入市|投资)|仅供(?:参考|其表达|投资者参考)|不构成(?:任何)?(?:投资|实质性)|信息存储空间服务|网络传播权))"
    r"|"
    + _OPEN
    + r"(?:copyright\b(?!\s+(?:law|rule|act|case|claim|suit|owner|holder|infring|protect|reform|dispute|term|fee|royalt)\w*)|©|\(c\)\s*(?:19|20)\d\d|all rights reserved|.{0,60}\ball rights reserved\b|disclaimer\b|this (?:article|story|material|content) (?:was|may|is|has|originally|first).{0,80}(?:published|republished|rewritten|redistributed|licen[sc]e|reserved)"
    r"|views? expressed .{0,120}|the views? .{0,60}(?:author|own)\b|(?:this )?reprint(?:ed)? .{0,80}permission|.{0,40}may not be (?:published|reproduced|reprinted)|the information (?:contained )?(?:in|on) this .{0,80}(?:advice|purposes))"
    r"|"
    + _OPEN
    + r"(?:our standards\s*:.{0,80}|we (?:and our (?:\d+ )?partners )?(?:use|store|value).{0,40}(?:cookies|privacy).{0,400}|you can change your (?:choices|preferences|settings).{0,300}|by (?:clicking|using|continuing).{0,60}(?:you agree|cookies).{0,300})$"
    r"|^.{0,16}(?:法律顾问|新闻热线|投稿(?:邮箱|热线|信箱)|报料(?:热线|电话|邮箱|微信)?|爆料|广告(?:热线|部|合作)|客服(?:热线|电话|邮箱)|举报邮箱|商务合作)\s*[:：].{0,200}$"
    r"|"
    + _OPEN
    + r"(?:[^。]{0,30}(?:ICP备|ICP证|公网安备|网安备|许可证(?:编?号)?[:：]|网站标识码|违法和不良信息举报|举报(?:电话|邮箱)[:：]|技术支持[:：]|主办(?:单位)?[:：]|承办(?:单位)?[:：]|版权所有).*)$",
    re.I,
)
_BUTTON = re.compile(
    _OPEN
    + r"(?:(?:封面|题|首|头|配|文中|文内|本文)?图片?(?:来源|来自|提供|源)\s*[:：/|｜].{1,30}|分享(?:到|至|给|让更多人看到|按钮|本文|文章|道)?\s*[:：]?.{0,24}|一键分享|转发|扫一扫.{0,24}|扫码.{0,30}|扫描(?:下方|上方|左侧|右侧|以下|下面|下载|关注)?.{0,20}(?:二维码|APP|公众号).{0,16}|长按.{0,16}(?:二维码|识别|图片).{0,24}|手机(?:看|阅读|扫码|查看).{0,16}|微信(?:扫|公众号|分享|好友).{0,24}"
    r"|打\s*印\s*(?:本[页文]|此文)?|\[?\s*关\s*闭\s*(?:窗口|本页|此页)?|【?字体?号?(?:大小)?[:：]?\s*[【\[]?\s*大\s*[】\]|\s]*[【\[]?中\s*[】\]|\s]*[【\[]?小.{0,8}|字号.{0,14}|T\s?大中小|大\s*中\s*小|加入收藏|收藏(?:本[页站文])?|返回(?:顶部|首页|列表|上页|上级|目录|栏目).{0,6}|回到(?:顶部|首页)|点击(?:下载|查看|进入|阅读|加载|展开|收起|关注|这里|图片|上方|下方|此处|跳转|订阅|右上角).{0,40}"
    r"|下载.{0,16}(?:客户端|APP).{0,10}|(?:欢迎|敬请|请|赶快|记得)?(?:持续)?(?:关注|订阅|添加|加入).{0,24}(?:公众号|订阅号|服务号|微信|微博|头条号|客户端|交流群|APP|官网).{0,30}|(?:更多|查看更多|加载更多|展开全文|阅读全文|阅读原文|显示全文|全文阅读|查看原文|返回搜狐|查看余下全文).{0,30}(?:请|点击|关注|查看|下载|登录|尽在|>>|»|内容|详情|资讯|精彩|敬请)?.{0,24}|返回.{0,12}[,，]?查看更多|(?:更多)?(?:相关|精彩|最新|更多)?(?:资讯|内容|新闻|攻略|消息|报道|信息|动态)[,，]?\s?(?:请|敬请|欢迎)(?:持续)?(?:关注|查看|访问|移步|点击).{0,40}"
    r"|(?:立即)?打开.{0,12}(?:APP|客户端|微信).{0,20}|我要(?:投稿|分享|评论|纠错|举报|收藏|打印).{0,6}|转播到.{0,10}|纠\s?错|推荐给(?:朋友|好友)|举报(?:/反馈|反馈)?|投诉|点赞\d*|赞\s?[(（]?\d*[)）]?|踩|顶|喜欢\s?\d*|评论\s?[(（]?\d*[)）]?|在看|已收藏|听新闻|赞\s?赏|打\s?赏|自动播放.{0,40}|语音播报|朗读|复制链接|播报文章|微信朋友圈|点(?:个|击)?.{0,8}(?:在看|点赞|关注|转发|星标).{0,16}|(?:设为)?星标.{0,10}|喜欢(?:就|请|的话|本文).{0,12}(?:赞|关注|转发|在看).{0,12}|新浪微博|QQ好友|QQ空间"
    r"|share(?:\s(?:this|on|to|via|article|story)\b.{0,40})?|tweet|pin it|email(?: this)?|e-mail|click here.{0,60}|print(?: this)?(?: page| article)?|follow us.{0,80}|follow @?\w+.{0,30}|like us on.{0,30}|read more\s?[:.»>…]*|continue reading.{0,40}|load more.{0,20}|show (?:more|all).{0,20}|scan (?:the )?(?:qr )?code.{0,60}|sign up (?:for|to|here|now).{0,100}|subscribe(?:$|\s(?:to|now|for|today)\b.{0,80})"
    r"|advertisements?(?: - scroll to continue)?|story continues below.{0,30}|article continues (?:below|after).{0,40}|back to top|skip (?:to|past).{0,40}|listen to (?:this )?article.{0,30}|\d+ min(?:ute)?s? read|comments?(?: \(?\d+\)?)?|\d+ comments?|leave a (?:reply|comment).{0,20}|add (?:a )?comment|view comments|report (?:a )?(?:typo|error).{0,20}|copy link.{0,20}|save(?: article)?|whatsapp|facebook|twitter|linkedin|reddit|telegram|newsletter|image|photos?|play|video|loading\.*"
    r")[\s\]】)）〗|｜·»>。.!！…]*$",
    re.I,
)
_OTHER = re.compile(
    _OPEN
    + r"(?:(?:相关|相似|类似|关联|猜你)(?:链接|阅读|新闻|报道|文章|政策|附件下载|稿件|推荐|文档|资讯|内容|专题|视频|话题|标签|信息|解读|喜欢|热词|帖子)|(?:您|你)?可能(?:还|也)?会?(?:感兴趣|喜欢|想看)的?.{0,6}|大家还在看|延伸阅读|拓展阅读|扩展阅读|推荐阅读|推荐文章|精彩推荐|(?:更多|精彩|热门|编辑|今日|为您|为你|视频|图片|小编|大家|本文|站内|最新|本周|本月|点击|24小时|一周|热点|热评|精选|频道|独家|专题|猜你|往期|近期|本类|栏目|同类|随机|阅读).{0,6}(?:推荐|导读|排行榜?|喜欢|回顾|文章|新闻|排行|爱看|热点|热门|资讯|评论|内容|精彩|关注|都在看|热榜|看点|头条|阅读)|大家都在[看搜]|热[门评点]"
    r"|上一?[篇条页则个].{0,90}|下一?[篇条页则个].{0,90}|前一篇.{0,80}|后一篇.{0,80}|(?:网友|全部|最新|热门|精彩|用户|文章|我要|发表|查看)?(?:评论|跟帖|留言|讨论|热评)(?:列表|区|内容)?\s*[(（]?\d*[条)）]*|发表(?:评论|看法|我的看法|跟帖).{0,10}|我来说(?:两|几)句.{0,10}|参与(?:评论|讨论).{0,10}|相关(?:标签|关键词).{0,50}|关键[词字]\s*[:：].{0,80}|标\s?签\s*[:：].{0,80}|(?:本文)?(?:tags?|filed under|topics?|categories|posted in|tagged(?: with)?)\s*[:：].{0,120}|分类\s*[:：].{0,40}|文章(?:标签|分类|关键词|评价|点评|末尾).{0,60}|热搜词?.{0,30}|友情链接.{0,20}|责任编辑推荐"
    r"|related(?:\s(?:articles?|stories|story|news|content|posts?|reading|links?|topics?|coverage|video))?|read (?:also|next|this next|more (?:stories|about|on|from)\b.{0,40})|see also|also read.{0,80}|more (?:from|on|stories|in|news|about|like this)\b.{0,50}|you (?:may|might) (?:also )?(?:like|be interested).{0,30}|recommended(?: for you| stories| reading)?|up next|most (?:read|popular|viewed|recent)|trending(?: now)?|latest (?:news|stories|posts|headlines)|popular (?:posts|stories|now)|don'?t miss|editors?'? picks?|top stories|what to read next|previous (?:post|article|story)?.{0,60}|next (?:post|article|story).{0,60}|about the authors?|join the (?:conversation|discussion)|sponsored(?: content)?|promoted(?: stories)?|from the web|around the web|elsewhere on.{0,30}|keep reading)"
    r"[\s:：】\])）>»…|｜.]*$",
    re.I,
)
_CREDIT = re.compile(
    _OPEN
    + r"(?:(?:发布|发表|更新|刊发|录入|上传|撰写|创建|日期|提交|修改|发稿|首发|印发|成文|刊登)?(?:时间|日期|于|机构|单位|部门)\s*[:：].{0,60}|(?:信息|文章|稿件|新闻|内容|资料|文件|本文|消息|数据|原文|图文)?\s*(?:来\s*源|稿\s*源|出\s*处|转自|转载自?)\s*[:：]?.{0,50}|(?:作\s*者|撰\s*文|文|记\s*者|本[报网刊台]记者|执\s*笔|翻\s*译|编\s*译|整\s*理|文章作者|责任作者|特约撰稿人?)\s*[:：丨|｜/／].{0,60}"
    r"|(?:浏览|阅读|点击|访问|查看|人气|围观|浏览量|点击量|访问量|点击率|阅读量|阅读数|评论数|热度)(?:次数|数|量|人数)?\s*[:：(（]?\s*[\d,.万+次]*.{0,10}|[\d,.万+]+\s*(?:次|人)?(?:浏览|阅读|点击|围观|评论|参与|阅)|(?:分类|类别|栏目|所属栏目|频道|标签|编号|索引号|信息索引号|公开形式|公开方式|公开日期|有效性|主题分类|体裁分类)\s*[:：].{0,50}|原\s?标\s?题\s*[:：].{0,120}|"
    + _DATE
    + r"(?:\s.{0,50}|$|来源.{0,40}|[|｜·,，].{0,50})"
    r"|原创\s*[:：].{1,40}|[一-鿿]{2,8}(?:记者|通讯员|实习生|编译)\s*[|｜丨/／]\s*[一-鿿·、，\s]{2,30}|[一-鿿]{2,10}(?:记者|通讯员)(?:\s+[一-鿿·]{2,4}){1,5}|by\s+[A-Z].{1,80}|(?:published|updated|posted|last (?:updated|modified)|created|modified|first published|date|written|source|author|staff|reporter)\s*(?:on|at|by)?\s*[:：]?\s.{0,80}|原创|本文(?:字数|约|共).{0,24}|全文.{0,6}字.{0,20}|阅读(?:需|时间|时长|完|本文).{0,20}|首页.{0,6}[>›»→/].{0,100}|(?:您|你)?(?:当前|现在)?(?:的)?(?:所在)?位置(?:是|:|：|在).{0,100}|home\s*[>›»/].{0,100}|current(?: location)?\s*[:：].{0,80})"
    r"[\s\]】)）|｜]*$",
    re.I,
)
# a sentence that begins with its day is no credit
_TELLS = re.compile(rf"^\s*{_DATE}[\s，,].*[。！？][”」』）)]*\s*$", re.S)
# two of these in one short line make it a line of credits, however it is set
_SIGNAL = re.compile(
    r"(?:来源|作者|记者|编辑|责编|浏览量?|阅读量?|点击量?|评论|发布时间|发布日期|时间|字体|字号|Source|By|Published|Updated|Views)\s*[:：(（|｜丨]|\d{1,2}:\d{2}(?!\d)|(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}|(?:浏览|阅读|点击)\s?\d|\d[wW万千]?\+?\s?(?:次|人)?(?:阅读|浏览|评论|views|comments|min read)"
)
_RELATED_LINK = re.compile(
    _OPEN
    + r"(?:相关阅读|延伸阅读|推荐阅读|相关报道|相关新闻|更多阅读|扩展阅读|点击阅读|往期回顾|前情回顾|(?:read|see) (?:more|also|next)|also read|related|more on this|don'?t miss)\s*[:：|｜>»-]?",
    re.I,
)
_PROFESSION = (
    r"(?:[\w-]*(?:reporter|editor|writer|correspondent|columnist|journalist|author|blogger|contributor|critic|photographer)"
    r"|professor|lecturer|fellow|researcher|analyst|founder|producer|economist|director|consultant|student|staff)s?\b"
)
# who somebody is, what of, and little more: `Larry Page is ...` alone ends a text as well
_BIO = re.compile(
    r"^(?:[A-Z][\w.'’-]+ ){1,4}(?:(?:is|was|joined|previously)\b[^.]{0,100}\b"
    + _PROFESSION
    + r"|(?:writes|covers|reports (?:on|for|from)|contributed|can be reached|has (?:written|covered|reported|worked) (?:for|at|as|about|on|in|from))\b).{3,400}$"
    r"|^(?:About the authors?\b|(?:Additional )?[Rr]eporting by .{3,120}[;.]?$|.{0,60}contributed (?:to this|reporting)|Follow .{2,40} on (?:Twitter|X|Facebook|Instagram)|A version of this (?:article|story) (?:appears|appeared|first|was|originally))",
    re.S,
)
_ORIGINAL = re.compile(
    _OPEN
    + r"(?:本文)?(?:原\s?标\s?题|原题|副标题|引题|主标题)(?:\s*(?:是|为)?\s*[:：]|\s?(?:是|为)\s?[《“「].{2,100}[》”」][\s)）】\]。]*$)"
)
_BYLINE_END = re.compile(
    r"^[一-鿿、]{2,16}(?:记者|通讯员)\s+[一-鿿·]{2,4}(?:[ 、][一-鿿·]{2,4}){0,4}\s*$|"
    + _OPEN
    + r"(?:[(（][^)）]{0,6})?(?:(?:本[报网刊台]|[一-鿿]{2,8}(?:日报|晚报|商报|早报|时报|新闻|网|社|晨报|都市报|周刊|青年报))?(?:全媒体|首席|特约|实习|见习)?(?:记者|通讯员)|文\s?/\s?图|文字?|图片?|撰文|执笔|来源|转自|供图|图源|摄影)\s*[:：/／丨|｜\s]\s*[^。，]{1,50}[)）】]?\s*$"
    r"|^[（(]\s*(?:来源|作者|文|记者|通讯员|编辑|责编|责任编辑|原载|转自|据|综合|本报|整理|供稿|责任|图|摄影|校对|审核|作者单位|作者系|作者为|作者是|本文)[^)）]{0,70}[)）]\s*$"
    r"|^[（(][^)）]{2,40}对[此本]文.{0,4}(?:贡献|帮助)[^)）]{0,6}[)）]\s*$"
)

_CAPTION = re.compile(
    r"^\s*(?:(?:资料|数据|图片)来源\s*[:：]|图为|图[一二三四五六七八九十\d]{1,2}\s?[:：为]|图\s?[:：]|[▲△▼↑↓]|上图|下图|左图|右图|资料图|图片说明|图注|图说)"
    r"|^.{1,30}[（(](?:[左右中前后上下]|[前后]排|主席台|戴|穿)[^）)]{0,10}[）)]"
    r"|(?:摄|供图|摄影|资料图|资料图片|截图|视觉中国|\s(?:资料|图)|示意图|效果图|网络图片?|受访者提供|图源\S{0,10}|图片?(?:来源|来自|提供|由)\s?[:：]?[^。]{1,16}|来源[:：]\S{1,12}|制图[:：]?\S{0,8}|发（\S{1,12}摄）|图[/／|｜]\S{1,12}|[（(](?:视觉中国|人民视觉|图虫|(?:新华|中新|法新|路透|美联|共同|塔斯|韩联|彭博)社?|BBC|CNN|IC ?photo|东方IC|资料图?))\s*[)）】\]。]?\s*$"
    r"|[\[(](?:[^\])]{0,60}[\s/])?(?:photo|file photo|image|illustration|picture|credit|courtesy|handout|getty|reuters|afp|ap|epa|xinhua|vcg|cfp)\b[^\])]{0,60}[\])]\s*$"
    r"|(?:^|[.\s])(?:photo|photograph|image|picture|credit|illustration|file photo)s?(?: by| credit)?\s?[:：/]\s?[^.]{2,60}$|^\s*(?:photo|image|photograph|illustration|picture)s?\s(?:by|courtesy|via)\b.{2,60}$",
    re.I,
)


def describes_picture(text: str) -> bool:
    """A line under a picture that says what it shows or whose it is; asked only of lines beside pictures."""
    return len(text) <= 160 and bool(_CAPTION.search(text))


def kind(text: str) -> str:
    """What a line is by its words. Long lines are nothing but text, or rights."""
    return PLAIN if len(text) > 700 else _kind(text)


@lru_cache(maxsize=4096)
def _kind(text: str) -> str:
    length = len(text)
    if length <= 160 and _ORIGINAL.match(text):
        return ORIGINAL
    if length <= 130 and (_EDITOR.match(text) or _EDITORS.match(text) or _DESK.match(text)):
        return EDITOR
    if length <= 100 and "。" not in text and len(_CREW.findall(text)) >= 2:
        return EDITOR
    if _RIGHTS.match(text):
        return RIGHTS
    if length <= 130 and _OTHER.match(text) and not _says(text):
        return OTHER
    if (length <= 130 and _BUTTON.match(text)) or (length <= 280 and _OF_PICTURE.match(text)):
        return BUTTON
    if length <= 200 and _CREDIT.match(text) and not (_TELLS.match(text) or _says(text)):
        return CREDIT
    if length <= 100 and "。" not in text and len(_SIGNAL.findall(text)) >= 2:
        return CREDIT
    return PLAIN


# what a picture shows or whose it is, wherever it stands: `Header image: …`, `(Credit: A. Holm / Agency)`
_OF_PICTURE = re.compile(
    _OPEN
    + r"(?:(?:(?:header|featured?|main|cover|banner|lead|top|file|hero)\s+)?(?:image|photo|picture|illustration|photograph)s?(?:\s+(?:credit|source|courtesy(?: of)?|by)s?)?\s*:\s*\S.{1,240}"
    r"|credits?\s*:\s*[^?]{2,60})$",
    re.I,
)
_STOPWORD = re.compile(r"(?:an?|and|are|as|at|by|de|for|from|in|is|la|of|on|or|out|the|this|to|was|with|your?)\W*$")


def _says(text: str) -> bool:
    """An English sentence, though it begins like a label: `Staff at two hospitals have been told to stay home.`"""
    if not re.match(r"^[\"“‘']?[A-Z][^:|©\u4e00-\u9fff]+[.!?][\"”’']?$", text):
        return False
    words = text.split()
    lower = [w for w in words if w[0].islower() and not _STOPWORD.match(w)]
    return len(words) >= 7 and len(lower) >= 3


def last_editor(text: str) -> bool:
    """An editor's line of the sort that closes a text (责任编辑), not one of several credits."""
    return bool(_LAST_EDITOR.search(text))


_END = re.compile(
    r"^[\s—\-–_·.*•=~/|【】\[\]]*(?:the end|end|全文完|本文完|正文结束|正文已结束.{0,40}|完)[\s—\-–_·.*•=~/|【】\[\]]*$",
    re.I,
)
_EDITOR_INSIDE = re.compile(
    r"\s*[（(【\[]\s*(?:责任编辑|责\s?编|编\s?辑|编审|校对|审核|审校|值班编辑|网络编辑|实习编辑)\s*[:：/／丨|]?\s*[^）)】\]]{1,40}[）)】\]]\s*$|(?<=[。！？”…])\s*(?:责任编辑|责\s?编|编辑)\s*[:：]\s*[^\s。，]{2,12}\s*$"
)


def ends_text(text: str) -> bool:
    """A line that says that the text is over (`— END —`)."""
    return len(text) <= 50 and bool(_END.match(text))


def without_editor(text: str) -> str:
    """A last paragraph without the editor in brackets behind it."""
    return _EDITOR_INSIDE.sub("", text)


def points_elsewhere(text: str) -> bool:
    """A line that sends the reader to another article (`相关阅读：…`); asked only of lines that are links."""
    return len(text) <= 160 and bool(_RELATED_LINK.match(text))


_PROMOTION = re.compile(
    r"(?:扫描|扫码|扫一扫|长按|识别).{0,16}(?:关注|加入|下载|订阅).{0,40}(?:微信|公众号|微博|客户端|APP|社群|视频号|官微)"
    r"|(?:扫描|扫码|长按|识别).{0,12}(?:二维码|图片|小程序码).{0,8}(?:关注|解锁|加入|了解更多|获取更多|查看更多)"
    r"|(?:下载|安装|打开).{0,16}(?:客户端|APP).{0,30}(?:福利|资讯|第一时间|更多|精彩|优惠|好礼)"
    r"|(?:福利|资讯|第一时间|更多|精彩|优惠).{0,40}(?:下载|安装|打开).{0,16}(?:客户端|APP|下载地址)"
    r"|(?:公众号|后台|对话框|留言区|聊天框)?.{0,10}回复\s*[【“「\"].{1,14}[】”」\"].{0,30}(?:查看|查询|获取|领取|了解|下载|看到)"
    r"|(?:点击|戳).{0,6}(?:菜单栏|左下角|右下角|文末|原文链接|阅读原文|下方卡片|名片)",
    re.I,
)


# 地点：… beside 时间：…: what is to be held, and not when the page was published
_HELD = re.compile(
    r"^[\s一二三四五六七八九十、（()）\d.]*(?:会议|活动|讲座|报告|举办|培训|开标|集合|报到|发布会)?(?:地\s*点|地\s*址|方\s*式|主\s*持(?:人)?|主\s*讲(?:人)?|嘉\s*宾|对\s*象|出\s*席|题\s*目|主\s*题|(?:参会|参加|与会)人员)\s*[:：]"
)


def of_event(text: str) -> bool:
    """A field of something that is to be held (`地点：…`); a time beside it is the event's."""
    return len(text) <= 120 and bool(_HELD.match(text))


def promotes(text: str) -> bool:
    """A line that wants the reader to follow an account or load a client; asked only of the first and last lines."""
    return len(text) <= 130 and bool(_PROMOTION.search(text))


def about_people(text: str) -> bool:
    """A line below a text that tells who wrote it or where it was printed; asked only of the last lines."""
    return len(text) <= 500 and bool(_BIO.match(text))


def signs_off(text: str) -> bool:
    """A byline at the foot of a text: 本报记者 …, （作者系…）, 文/图 …."""
    return len(text) <= 90 and bool(_BYLINE_END.match(text))
