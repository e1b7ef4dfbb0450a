"""Cache of the level that each platform is on: its limits in live mode."""

from dream_api import catalog, customers, platforms
from dream_api.catalog import Home, Plan, Plans
from dream_api.core.cache import Cache, memoize
from dream_api.core.db import Database
from dream_api.customers import Customer
from dream_api.keys import Key
from dream_api.metering.open_limits import PlatformPlan
from dream_api.platforms import Mode

_PLATFORMS = 20_000
# Where home sells nothing, nothing is limited.
_UNLIMITED = Plan("unlimited", {})
_NOBODY = Customer(0, "active", None, None, None)


class PlatformPlanCache:
    """Platforms as customers of the project home, and the tiers they are on; facts at most a second old."""

    def __init__(self, database: Database, plans: Cache[Plans], mode: Mode) -> None:
        self._database = database
        self._plans = plans
        self._mode: Mode = mode
        self._home: Home | None = None
        # By the same names as all customers.
        self.platforms = Cache[Customer](customers.CACHE_KIND, size=_PLATFORMS)
        # What followed from the facts of both caches, as long as neither forgets anything.
        self._found: dict[int, tuple[tuple[int, int], PlatformPlan]] = {}

    async def start(self) -> None:
        """Read which project is home, which never changes."""
        async with self._database.read() as tx:
            self._home = await catalog.find_home(tx)

    def binds(self, key: Key) -> bool:
        """Whether calls with this key are counted against a level: live ones, and not the operator's own."""
        return key.mode_no == 1 and key.platform_no != self._of_home.project.platform_no

    def cached(self, key: Key) -> PlatformPlan | None:
        """The platform's level, from the cache alone; None where the database must be asked."""
        versions = (self.platforms.version, self._plans.version)
        found = self._found.get(key.platform_no)
        if found is not None and found[0] == versions:
            return found[1]
        customer = self.platforms.get(self._name(key))
        plans = self._plans.get(self._plans_name)
        if customer is None or plans is None:
            return None
        return memoize(self._found, key.platform_no, (versions, self._level(customer, plans)))[1]

    async def get(self, key: Key) -> PlatformPlan:
        home = self._of_home.project
        scope = platforms.ProjectScope(home.platform_no, home.id, self._mode)

        async def load_platform() -> Customer | None:
            async with self._database.read() as tx:
                wanted = (scope.platform_no, scope.project_id, scope.mode, key.platform_id)
                # A platform without a level is on the default one.
                return (await customers.find_many(tx, [wanted])).get(wanted, _NOBODY)

        async def load_plans() -> Plans | None:
            async with self._database.read() as tx:
                return await catalog.load_plans(tx, home.platform_no, home.id, home.no, self._mode)

        customer = await self.platforms.get_or_load(self._name(key), load_platform)
        plans = await self._plans.get_or_load(self._plans_name, load_plans)
        assert customer is not None
        assert plans is not None
        return self._level(customer, plans)

    @property
    def _of_home(self) -> Home:
        assert self._home is not None
        return self._home

    @property
    def _plans_name(self) -> str:
        return Plans.cache_key(self._of_home.project.id, self._mode)

    def _name(self, key: Key) -> str:
        return f"{self._plans_name}:{key.platform_id}"

    def _level(self, customer: Customer, plans: Plans) -> PlatformPlan:
        default = plans.default or _UNLIMITED
        plan = plans.by_name.get(customer.plan or "", default)
        return PlatformPlan(plan, default, customer, self._of_home.requests, self._of_home.active_users)
