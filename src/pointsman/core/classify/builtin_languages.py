"""The rules that come with the product, beyond English: core words of Spanish, German, French, Chinese and Hindi.

Same notation, same roles and same weights as in `builtin`, which reads this table. Accents may be left out where
people do. Words that mean something else in English ("plan", "format") stand in the English table already.
"""

from __future__ import annotations

from typing import Final

LANGUAGES: Final[tuple[tuple[str, float, str], ...]] = (
    # Spanish
    (
        "strategic",
        2.0,
        """por qué, deberíamos, debería, ^compara, ^analiza, ^evalúa, ^diseña, ^planifica, ^propón, ^prioriza,
        ventajas y, pros y contras, causa raíz, qué harías, cómo abordarías, vale la pena, conviene, qué opción,
        un plan, una estrategia""",
    ),
    (
        "strategic",
        1.4,
        """compara, comparar, analiza, analizar, análisis, evalúa, evaluar, estrategia, arquitectura, riesgos, causas,
        causa, opciones, alternativas, recomiendas, recomendación, recomendarías, enfoque, prioridades, diseñar,
        planificar, decidir, decisión, propuesta, hoja de ruta, cómo deberíamos, qué deberíamos, a largo plazo,
        sospechas""",
    ),
    (
        "tactical",
        2.0,
        """^traduce >, ^añade, ^agrega, ^corrige >, ^arregla, ^cambia, ^borra, ^elimina, ^quita, ^renombra, ^ejecuta,
        ^escribe, ^crea, ^genera, ^convierte, ^actualiza, ^reemplaza, ^sustituye, ^pon, ^haz, ^envía, ^manda,
        ^resume, ^ordena, ^instala, ^implementa, ^calcula, ^extrae, ^dame, ^responde, ^redacta, ^pasa, ^hazlo,
        ^adelante, ^sigue""",
    ),
    (
        "tactical",
        1.4,
        """traduce, añade, agrega, corrige, arregla, cambia, borra, elimina, renombra, ejecuta, actualiza, traducir""",
    ),
    # German
    (
        "strategic",
        2.0,
        """warum, weshalb, wieso, sollten wir, sollen wir, sollte ich, soll ich, ^vergleiche, ^vergleich, ^analysiere,
        ^bewerte, ^entwirf, ^plane, ^überlege, ^untersuche, vor- und nachteile, lohnt es sich, lohnt sich,
        woran liegt, woran könnte, wie würdest du, was würdest du, welche variante, welche option, einen plan""",
    ),
    (
        "strategic",
        1.4,
        """vergleichen, vergleiche, analysieren, bewerten, bewertung, abwägen, strategie, architektur, konzept, risiken,
        risiko, ursache, ursachen, empfehlung, empfiehlst, entscheiden, entscheidung, vorgehen, ansatz, alternativen,
        sinnvoll, wie sollten, was sollten, womit fangen, reihenfolge, langfristig, entwurf, planen, untersuchen,
        dahinter""",
    ),
    (
        "tactical",
        2.0,
        """^übersetze >, ^übersetz >, ^ändere, ^ergänze, ^füge, ^lösche, ^entferne, ^ersetze, ^benenne, ^korrigiere >,
        ^behebe, ^schreib, ^schreibe, ^erstelle, ^erzeuge, ^führe, ^starte, ^mach, ^mache, ^setze, ^kürze,
        ^formatiere, ^sortiere, ^berechne, ^schick, ^schicke, ^sende, ^antworte, ^implementiere, ^installiere,
        ^aktualisiere, ^wandle, ^gib mir, ^fasse, ^bau, ^baue, ^leg, ^trag, ^weiter""",
    ),
    (
        "tactical",
        1.4,
        """ändern, übersetzen, hinzufügen, löschen, entfernen, ersetzen, umbenennen, korrigieren, beheben, einfügen,
        ausführen, laufen lassen, aktualisieren, übersetze, rechtschreibung, eintragen, ins englische, ins deutsche,
        auf deutsch, auf englisch, kürzen""",
    ),
    # French
    (
        "strategic",
        2.0,
        """pourquoi, devrions-nous, faut-il, doit-on, devrait-on, ^comparez, ^analysez, ^évalue, ^évaluez, ^conçois,
        ^proposez, ^planifie, avantages et, pour et contre, cause racine, que ferais-tu, que feriez-vous,
        comment aborder, vaut-il mieux, quelle option, une stratégie""",
    ),
    (
        "strategic",
        1.4,
        """comparer, comparez, analyser, analysez, évaluer, évaluez, stratégie, risques, causes, recommandation,
        recommandez, conseillez, conseilles, décider, décision, approche, priorités, concevoir, planifier, compromis,
        à long terme, par où commencer, quelle approche, feuille de route, hypothèses""",
    ),
    (
        "tactical",
        2.0,
        """^traduis >, ^traduisez >, ^ajoute, ^ajoutez, ^corrigez >, ^changez, ^supprime, ^supprimez, ^renomme,
        ^remplace, ^remplacez, ^exécute, ^lance, ^écris, ^écrivez, ^rédige, ^rédigez, ^crée, ^génère, ^convertis,
        ^mets, ^mettez, ^envoie, ^envoyez, ^résume, ^résumez, ^trie, ^installe, ^implémente, ^calcule, ^extrais,
        ^donne-moi, ^réponds, ^vas-y, ^modifie, ^modifiez, ^reformule""",
    ),
    (
        "tactical",
        1.4,
        """traduire, ajoute, ajouter, corriger, supprimer, supprime, renommer, remplacer, mets à jour, mettre à jour,
        fautes, orthographe, en anglais, en français, en une phrase""",
    ),
    # Chinese: one token a character
    (
        "strategic",
        2.0,
        """为什么, 为何, 应该怎么, 是否应该, 要不要, 该不该, 值不值得, 优缺点, 利弊, 权衡,
        根本原因, 怎么设计, 如何设计, 比较, 分析, 评估, 规划""",
    ),
    (
        "strategic",
        1.4,
        """方案, 策略, 战略, 架构, 计划, 设计, 原因, 风险, 建议,
        选择, 哪个更, 哪种, 对比, 路线图, 优先级, 思路, 长期, 取舍""",
    ),
    (
        "tactical",
        2.0,
        """翻译 >, 修复, 改成, 改为, 添加, 加上, 加一, 删除, 删掉, 重命名, 运行,
        执行, 写一个, 写一, 生成, 转换, 替换,
        更新, 安装, 部署, 实现, 排序, 提取""",
    ),
    (
        "tactical",
        1.4,
        """函数, 脚本, 代码, 测试, 格式, 按钮, 总结, 润色, 计算, 发送, 回复, 列出, 帮我写, 继续, 一句话, 几个字""",
    ),
    # Hindi
    (
        "strategic",
        2.0,
        """क्यों, तुलना करें, तुलना करो, तुलना, विश्लेषण, योजना बनाओ, योजना बनाएं, रणनीति, क्या हमें, चाहिए या,
        मूल कारण, फायदे और, मूल्यांकन""",
    ),
    (
        "strategic",
        1.4,
        """योजना, कारण, विकल्प, विकल्पों, जोखिम, सुझाव, निर्णय, फैसला, बेहतर, प्राथमिकता, नुकसान, पहले कौन, कैसे तय,
        सलाह""",
    ),
    (
        "tactical",
        2.0,
        """अनुवाद, ठीक करो, ठीक करें, ठीक कर, जोड़ो, जोड़ें, हटाओ, हटाएं, हटा दो, बदलो, बदलें, बदल दो, लिखो, लिखें,
        चलाओ, चलाएं, बनाओ, बना दो, भेजो, भेजें, अपडेट""",
    ),
    ("tactical", 1.4, "फ़ंक्शन, फंक्शन, स्क्रिप्ट, कोड, टाइपो, फ़ाइल, बटन, सूची, छोटा, एक वाक्य, अंग्रेज़ी में, हिंदी में"),
)
"""(role, weight, phrases)."""
